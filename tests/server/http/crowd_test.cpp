// Many connections: of one address, of strangers, of a proxy, of a tenant that sends slowly.
#include <algorithm>
#include <deque>

#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ManyConnections : public LiveServer {
 protected:
  void SetUp() override {
    options.connections = {.all = 64, .of_address = 16, .for_operators = 8};
    options.time.crowded = milliseconds(3000);
    start();
  }
  RawClient client_from(const char* address) const { return RawClient(server->port(), 0, address); }
  // Silent sockets, sixteen of each address.
  void crowd(int count) {
    static constexpr const char* kOthers[]{"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"};
    for (int i = 0; i < count; ++i) be_silent(kOthers[i % 4]);
  }
  // After an answer, which shows that it was taken: several threads take them, in any order.
  void be_silent(const char* address) {
    silent.push_back(client_from(address));
    EXPECT_EQ(silent.back().ask(request("GET", "/health")).status, 200);
  }
  int status_on(RawClient&& client, std::string_view path, std::string_view key = "") {
    return client.ask(request("GET", path, key_header(key))).status;
  }

  std::deque<RawClient> silent;
};

TEST_F(ManyConnections, OfOneAddressLeaveRoomForOthers) {
  for (int i = 0; i < 16; ++i) be_silent("127.0.0.2");
  EXPECT_EQ(client_from("127.0.0.2").reply().status, 503);
  EXPECT_EQ(status_on(client_from("127.0.0.3"), "/health"), 200);
  EXPECT_EQ(status_on(client(), "/api/v1/jobs", kReadKey), 200);
  silent.clear();
  EXPECT_TRUE(eventually([&] { return status_on(client_from("127.0.0.2"), "/health") == 200; }));
}

TEST_F(ManyConnections, ThatIdleNeverKeepOperatorsOut) {
  crowd(56);
  EXPECT_EQ(status_on(client(), "/health"), 200);
  EXPECT_EQ(status_on(client(), "/ready"), 200);
  EXPECT_EQ(status_on(client(), "/api/v1/jobs", kAdminKey), 200);
  EXPECT_EQ(status_on(client(), "/api/v1/jobs", kReadKey), 503);
  RawClient once = client();
  EXPECT_EQ(once.ask(request("GET", "/health")).status, 200);
  EXPECT_TRUE(once.ended_within(seconds(10))) << "the last places are used once";
  for (int i = 0; i < 8; ++i) silent.push_back(client_from("127.0.0.2"));
  EXPECT_EQ(status_on(client(), "/health"), 200) << "who has many gets none of the last places";
}

TEST_F(ManyConnections, ThatShowNoKeyEndSoonInACrowd) {
  RawClient known = client();
  EXPECT_EQ(known.ask(request("GET", "/api/v1/jobs", key_header(kReadKey))).status, 200);
  crowd(55);
  int ended = 0;  // until it is a crowd no more
  for (RawClient& one : silent) ended += one.ended_within(milliseconds(ended < 8 ? 10'000 : 1));
  EXPECT_GE(ended, 8);
  EXPECT_EQ(status_on(client(), "/api/v1/jobs", kReadKey), 200);
  EXPECT_EQ(known.ask(request("GET", "/api/v1/jobs", key_header(kReadKey))).status, 200);
}

TEST_F(ManyConnections, ThatShowNoKeyMayStayWhereThereIsRoom) {
  crowd(40);
  clock.sleep_for(milliseconds(4500));
  for (RawClient& one : silent) EXPECT_EQ(one.ask(request("GET", "/health")).status, 200);
}

class BehindAProxy : public LiveServer {
 protected:
  void SetUp() override {
    options.connections.of_address = 4;
    options.failures = {.per_second = 0.01, .burst = 2};
    options.proxies = *AddressSet::parse("127.0.0.1");
    start();
  }
  int guess(const char* from, const std::string& forwarded_for) {
    return RawClient(server->port(), 0, from)
        .ask(request("GET", "/api/v1/jobs",
                     key_header("wrong-key-000") + "X-Forwarded-For: " + forwarded_for + "\r\n"))
        .status;
  }
};

TEST_F(BehindAProxy, ItsConnectionsAreNotOneClients) {
  std::deque<RawClient> many;
  for (int i = 0; i < 20; ++i) many.push_back(client());
  for (RawClient& one : many) EXPECT_EQ(one.ask(request("GET", "/health")).status, 200);
}

TEST_F(BehindAProxy, ClientsAreToldApartByWhatItSaysAndNobodyElse) {
  for (int i = 0; i < 2; ++i) EXPECT_EQ(guess("127.0.0.1", "192.0.2.1"), 401);
  EXPECT_EQ(guess("127.0.0.1", "192.0.2.1"), 429);
  EXPECT_EQ(guess("127.0.0.1", "192.0.2.2"), 401);
  EXPECT_EQ(guess("127.0.0.1", "8.8.8.8, 192.0.2.1"), 429) << "the client wrote the first one";
  for (int i = 0; i < 2; ++i) EXPECT_EQ(guess("127.0.0.2", "192.0.2." + std::to_string(i)), 401);
  EXPECT_EQ(guess("127.0.0.2", "192.0.2.9"), 429) << "no proxy of ours";
}

class SlowTenant : public LiveServer {
  void SetUp() override {
    options.json_bytes_held_of_tenant_max = 1'000'000;
    start();
  }
};

TEST_F(SlowTenant, HoldsNotWhatIsForAll) {
  const auto head = [](std::string_view key) {
    return "POST /api/v1/jobs HTTP/1.1\r\nHost: x\r\n" + key_header(key) +
           "Content-Type: application/json\r\nContent-Length: 700017\r\n\r\n";
  };
  RawClient slow = client();
  slow.send(head(kSubmitKey) + std::string(600'000, ' '));
  RawClient more = client();
  // Whichever of the two meets the limit first.
  more.send(head(kBothKey) + std::string(600'000, ' '));
  ASSERT_TRUE(eventually([&] {
    const auto all = served();
    return std::any_of(all.begin(), all.end(), [](const auto& one) { return one.status == 429; });
  }));
  const std::string whole = std::string(700'000, ' ') + R"({"preset_id":"p"})";
  EXPECT_EQ(client().ask(head(kOtherKey) + whole).status, 201);
}

}  // namespace
}  // namespace pytoon::http::testing_support
