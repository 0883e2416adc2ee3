#include <algorithm>

#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

using std::chrono::seconds;

class SlowClientTest : public LiveServer {
  void SetUp() override {
    options.time.head = std::chrono::milliseconds(400);
    options.time.idle = std::chrono::milliseconds(3000);
    options.time.body_grace = std::chrono::milliseconds(400);
    options.time.linger = std::chrono::milliseconds(400);
    start();
  }
};

TEST_F(SlowClientTest, SilentConnectionsEnd) {
  std::vector<RawClient> silent;
  for (int i = 0; i < 200; ++i) silent.push_back(client());
  EXPECT_TRUE(alive());
  for (RawClient& one : silent) EXPECT_TRUE(one.ended_within(seconds(10)));
}

TEST_F(SlowClientTest, SlowHeadsAreTold) {
  RawClient client = this->client();
  client.send("GET /health HTTP/1.1\r\nHost: x\r\nSlow: ");
  EXPECT_EQ(client.reply().status, 408);
  EXPECT_TRUE(client.ended_within(seconds(10)));
}

TEST_F(SlowClientTest, SlowBodiesAreTold) {
  RawClient client = this->client();
  client.send("POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\n" + key_header(kAdminKey) +
              "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{");
  EXPECT_EQ(client.reply().status, 408);
  EXPECT_TRUE(eventually([&] { return server->in_flight() == 0; }));
}

TEST_F(SlowClientTest, BodiesAboveTheFloorMayTakeLong) {
  RawClient client = this->client();
  const std::string body = R"({"preset_id":"p"})" + std::string(40'000, ' ');
  const std::string head =
      "POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\n" + key_header(kAdminKey) +
      "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n";
  client.send(head + body.substr(0, 10'000));
  for (std::size_t at = 10'000; at < body.size(); at += 10'000) {
    clock.sleep_for(std::chrono::milliseconds(200));
    client.send(std::string_view(body).substr(at, 10'000));
  }
  EXPECT_EQ(client.reply().status, 201);
}

TEST_F(SlowClientTest, IdleConnectionsEndLater) {
  RawClient client = this->client();
  EXPECT_EQ(client.ask(request("GET", "/health")).status, 200);
  clock.sleep_for(std::chrono::milliseconds(700));
  EXPECT_EQ(client.ask(request("GET", "/health")).status, 200) << "idle is not the head's limit";
  EXPECT_TRUE(client.ended_within(seconds(10)));
}

TEST_F(SlowClientTest, RefusedClientsThatStayAreClosed) {
  RawClient client = this->client();
  client.send("nonsense\r\n\r\n");
  EXPECT_EQ(client.reply().status, 400);
  // Only a descriptor that is really closed makes this fail: the write side was shut long before.
  EXPECT_TRUE(eventually([&] { return !client.send("more"); }));
}

class CrowdTest : public LiveServer {
  void SetUp() override {
    options.connections = {.all = 20, .of_address = 1000, .for_operators = 0};
    start();
  }
};

TEST_F(CrowdTest, ConnectionsOverTheLimitAreTurnedAway) {
  std::vector<RawClient> crowd;
  for (int i = 0; i < 20; ++i) {
    crowd.push_back(client());
    EXPECT_EQ(crowd.back().ask(request("GET", "/health")).status, 200);
  }
  RawClient late = client();
  EXPECT_EQ(late.reply().status, 503);
  crowd.clear();
  EXPECT_TRUE(eventually([&] { return alive(); }));
}

class BudgetTest : public LiveServer {
  void SetUp() override {
    options.json_bytes_held_max = 1'000'000;
    start();
  }
};

TEST_F(BudgetTest, SlowBodiesTogetherHoldOnlySoMuch) {
  const std::string head = "POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\n" + key_header(kAdminKey) +
                           "Content-Type: application/json\r\nContent-Length: 700017\r\n\r\n";
  std::vector<RawClient> two;
  for (int i = 0; i < 2; ++i) {
    two.push_back(client());
    two.back().send(head + std::string(600'000, ' '));
  }
  const auto refusals = [&] {
    const auto all = served();
    return std::count_if(all.begin(), all.end(),
                         [](const AccessRecord& one) { return one.status == 503; });
  };
  // Both may be refused, where each holds half when the budget is spent.
  ASSERT_TRUE(eventually([&] { return refusals() >= 1; }));
  int kept = 0;
  for (RawClient& one : two) {
    one.send(std::string(100'000, ' ') + R"({"preset_id":"p"})");
    kept += one.reply().status == 201;
  }
  EXPECT_LE(kept, 1);
  EXPECT_EQ(kept + refusals(), 2);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client().ask(head + std::string(700'000, ' ') + R"({"preset_id":"p"})").status, 201);
  }
}

}  // namespace
}  // namespace pytoon::http::testing_support
