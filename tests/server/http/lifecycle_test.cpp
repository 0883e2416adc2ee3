#include <thread>

#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class LifecycleTest : public LiveServer {};

TEST_F(LifecycleTest, RefusesABusyPort) {
  Options same = options;
  same.port = server->port();
  std::ostringstream sink;
  Log log(clock, sink);
  HttpServer second(same, *KeyRing::parse(""), service, clock, log, {});
  const Status started = second.start();
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.failure().kind, FailureKind::kIo);
  EXPECT_TRUE(alive());
}

TEST_F(LifecycleTest, DrainingIsSeenAndNewWorkRefused) {
  RawClient open = client();
  EXPECT_EQ(open.ask(request("GET", "/health")).headers.at("connection"), "keep-alive");
  RawClient events = client();
  events.send(request("GET", "/api/v1/jobs/queued/events", key_header(kReadKey)));
  ASSERT_TRUE(events.read_until("event: progress"));
  server->begin_drain();
  EXPECT_TRUE(open.ended_within(seconds(5))) << "idle connections end";
  EXPECT_TRUE(events.ended_within(seconds(5)));
  const Reply ready = get("/ready", "");
  EXPECT_EQ(ready.status, 503);
  EXPECT_NE(ready.body.find("draining"), std::string::npos);
  EXPECT_EQ(ready.headers.at("connection"), "close");
  EXPECT_EQ(get("/api/v1/jobs/queued").status, 200) << "reads go on";
  const Reply refused =
      post("/api/v1/jobs", "Content-Type: application/json\r\n", R"({"preset_id":"p"})");
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.headers.contains("retry-after"));
  EXPECT_TRUE(server->stop(seconds(10)));
}

TEST_F(LifecycleTest, AProcessThatMustBeStartedAnewSaysSoAndStillAnswers) {
  EXPECT_EQ(get("/health", "").status, 200);
  unusable = true;
  const Reply health = get("/health", "");
  EXPECT_EQ(health.status, 503);
  EXPECT_EQ(health.body, R"({"status":"unusable","reason":"the GPU is lost"})");
  EXPECT_EQ(get("/api/v1/jobs/queued").status, 200);
}

TEST_F(LifecycleTest, StopWaitsForAnswersUnderWay) {
  std::atomic<bool> entered{false};
  service.on_job = [&] {
    entered = true;
    clock.sleep_for(milliseconds(400));
  };
  RawClient client = this->client();
  client.send(request("GET", "/api/v1/jobs/queued", key_header(kReadKey)));
  ASSERT_TRUE(eventually([&] { return entered.load(); }));
  EXPECT_TRUE(server->stop(seconds(10)));
  EXPECT_EQ(client.reply().status, 200);
}

TEST_F(LifecycleTest, StopCutsWhatTakesTooLong) {
  service.artifact = {folder / "big", "video/mp4", "\"e\""};
  write_bytes(service.artifact.path, std::string(8'000'000, 'x'));
  RawClient stalled(server->port(), 4096);
  stalled.send(request("GET", "/api/v1/jobs/finished/output", key_header(kReadKey)));
  ASSERT_TRUE(stalled.read_until("\r\n\r\n"));
  EXPECT_FALSE(server->stop(milliseconds(100)));
  EXPECT_EQ(server->in_flight(), 0);
}

TEST_F(LifecycleTest, StartingAndStoppingLeavesNoThreadAndFewDescriptors) {
  server.reset();
  const std::size_t threads = thread_count();
  start();
  alive();
  server.reset();
  const std::size_t descriptors = open_descriptors();
  constexpr std::size_t kRounds = 5;
  for (std::size_t i = 0; i < kRounds; ++i) {
    start();
    std::vector<RawClient> clients;
    for (int c = 0; c < 10; ++c) {
      clients.push_back(client());
      if (c % 2 == 0) {
        EXPECT_EQ(clients.back().ask(request("GET", "/health")).status, 200);
      }
    }
    server.reset();
    clients.clear();
  }
  EXPECT_EQ(thread_count(), threads);
  // The library forgets 13 event and timer descriptors of its own at each stop, which a process
  // does once; clients left open would be 10 more.
  EXPECT_LE(open_descriptors(), descriptors + kRounds * 15);
}

TEST_F(LifecycleTest, ManyClientsAtOnceAllGetAnswers) {
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      RawClient client = this->client();
      for (int i = 0; i < 200; ++i) {
        const Reply reply =
            i % 10 == 0
                ? client.ask(request("POST", "/api/v1/jobs",
                                     key_header(kAdminKey) + "Content-Type: application/json\r\n",
                                     R"({"preset_id":"p"})"))
                : client.ask(request("GET", "/api/v1/jobs/queued", key_header(kReadKey)));
        good += reply.status == 200 || reply.status == 201;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 1600);
}

}  // namespace
}  // namespace pytoon::http::testing_support
