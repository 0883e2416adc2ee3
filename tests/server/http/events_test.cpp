#include <future>

#include "live_server.h"
#include "server/http/job_events.h"
#include "tests/support/eventually.h"

namespace pytoon::http::testing_support {
namespace {

constexpr std::string_view kEvents = "/api/v1/jobs/queued/events";

class EventsTest : public LiveServer {
 protected:
  RawClient follow(std::string_view path = kEvents, const std::string& headers = "") const {
    RawClient client = this->client();
    client.send(request("GET", path, key_header(kReadKey) + headers));
    return client;
  }
};

TEST_F(EventsTest, TellsEachVersionThenTheEnd) {
  RawClient client = follow();
  ASSERT_TRUE(client.read_until("id: 1\nevent: progress\ndata: {\"job_id\":\"queued\""));
  EXPECT_NE(client.unread().find("Content-Type: text/event-stream"), std::string::npos);
  service.change("queued", [](jobs::Job& job) { job.progress_pct = 40; });
  ASSERT_TRUE(client.read_until("id: 2\nevent: progress\ndata: "));
  service.change("queued", [](jobs::Job& job) { job.status = jobs::JobStatus::kDone; });
  const std::string all = client.read_to_end();
  EXPECT_NE(all.find("\"progress_pct\":40"), std::string::npos);
  EXPECT_NE(all.find("id: 3\nevent: done\ndata: "), std::string::npos);
  EXPECT_TRUE(all.ends_with("}\n\n"));
  EXPECT_TRUE(eventually([&] { return server->in_flight() == 0; }));
}

TEST_F(EventsTest, GoesOnAfterTheLastEventId) {
  RawClient client = follow(kEvents, "Last-Event-ID: 1\r\n");
  ASSERT_TRUE(client.read_until("retry: 2000\n\n"));
  service.change("queued", [](jobs::Job&) {});
  ASSERT_TRUE(client.read_until("id: 2\n"));
  EXPECT_EQ(client.unread().find("id: 1\n"), std::string::npos);
  for (const char* id : {"2", "nonsense", "-1", "99999999999999999999"}) {
    RawClient odd = follow(kEvents, std::string("Last-Event-ID: ") + id + "\r\n");
    EXPECT_TRUE(odd.read_until("retry: 2000\n\n")) << id;
  }
}

TEST_F(EventsTest, AClientThatComesBackIsToldAtOnceWhatChanged) {
  service.change("queued", [](jobs::Job& job) { job.progress_pct = 20; });
  service.change("queued", [](jobs::Job& job) { job.progress_pct = 60; });
  RawClient client = follow(kEvents, "Last-Event-ID: 1\r\n");
  ASSERT_TRUE(client.read_until("id: 3\nevent: progress\ndata: "));
  EXPECT_EQ(client.unread().find("id: 2\n"), std::string::npos) << "only the present state";
}

TEST_F(EventsTest, TheEndIsNeverLost) {
  service.change("queued", [](jobs::Job& job) { job.status = jobs::JobStatus::kCancelled; });
  // Cut off before the end was told, or exactly after: either way it is told.
  for (const char* seen : {"1", "2"}) {
    const std::string all =
        follow(kEvents, std::string("Last-Event-ID: ") + seen + "\r\n").read_to_end();
    EXPECT_NE(all.find("id: 2\nevent: done\ndata: "), std::string::npos) << seen;
  }
}

// Asked by hand, tick by tick.
TEST(JobEvents, AStreamBeginsWithWhatItsRequestRead) {
  FakeService service;
  JobFeed feed(service);
  const jobs::Caller reader{"acme", false, true, false};
  const auto first_tick = [](const Response& response) {
    return std::get<std::unique_ptr<EventSource>>(response.body)->next(SteadyTime()).bytes;
  };
  jobs::Job job = sample_job("a");
  job.version = 3;
  service.put(job);
  job.version = 2;
  const Response early = event_response(feed, reader, job, "");
  job.version = 3;
  EXPECT_NE(first_tick(event_response(feed, reader, job, "2")).find("id: 3\n"), std::string::npos)
      << "though the feed knew version 2";
  job.version = 2;
  EXPECT_EQ(first_tick(event_response(feed, reader, job, "3")).find("data:"), std::string::npos)
      << "what the feed knows may be newer than what was read before it";
  EXPECT_NE(first_tick(event_response(feed, reader, job, "9")).find("id: 3\n"), std::string::npos)
      << "a record that was restored is older than what was told: it is the truth";
}

TEST(JobEvents, WhatWasReadEarlierReplacesNothingNewer) {
  FakeService service;
  jobs::Job job = sample_job("a");
  job.version = 2;
  service.put(job);
  const jobs::Caller reader{"acme", false, true, false};
  std::promise<void> over;
  JobFeed feed(service);
  std::optional<JobFeed::Follower> newer;
  service.on_job = [&, brought = false]() mutable {  // in the middle of reading version 2
    if (std::exchange(brought, true)) return;
    job.version = 3;
    newer.emplace(feed.follow(reader, job));
  };
  service.on_versions = [&service, wait = over.get_future().share()] {
    if (service.looks > 1) wait.wait();
  };
  job.version = 1;
  const JobFeed::Follower older = feed.follow(reader, job);
  EXPECT_TRUE(support::eventually([&] { return service.looks > 1; }, std::chrono::seconds(10)));
  EXPECT_EQ((*older.latest())->version, 3);
  over.set_value();
}

TEST_F(EventsTest, EndsAtOnceForAFinishedJob) {
  const std::string all =
      follow("/api/v1/jobs/finished/events", "Last-Event-ID: 1\r\n").read_to_end();
  EXPECT_NE(all.find("event: done"), std::string::npos);
}

TEST_F(EventsTest, EndsWhenTheJobIsGone) {
  RawClient client = follow();
  ASSERT_TRUE(client.read_until("event: progress"));
  service.remove("queued");
  EXPECT_NE(
      client.read_to_end().find("event: gone\ndata: {\"type\":\"urn:pytoon:problem:not-found\""),
      std::string::npos);
}

TEST_F(EventsTest, OutlastsADatabaseThatIsAway) {
  RawClient client = follow();
  ASSERT_TRUE(client.read_until("event: progress"));
  service.away = true;
  clock.sleep_for(std::chrono::milliseconds(600));
  service.away = false;
  service.change("queued", [](jobs::Job&) {});
  ASSERT_TRUE(client.read_until("id: 2\n"));
}

TEST_F(EventsTest, ASlowDatabaseHoldsUpNoStream) {
  std::promise<void> answered;
  service.on_versions = [wait = answered.get_future().share()] { wait.wait(); };
  RawClient first = follow();
  ASSERT_TRUE(first.read_until("id: 1\n"));
  EXPECT_TRUE(eventually([&] { return service.looks > 0; })) << "and now it waits";
  service.put(sample_job("another"));
  RawClient second = follow("/api/v1/jobs/another/events");
  EXPECT_TRUE(second.read_until("id: 1\n"));
  answered.set_value();
}

TEST_F(EventsTest, ThreeHundredClientsThatVanish) {
  EXPECT_TRUE(alive());
  const std::size_t before = open_descriptors();
  {
    std::vector<RawClient> clients;
    for (int i = 0; i < 300; ++i) clients.push_back(follow());
    for (RawClient& client : clients) ASSERT_TRUE(client.read_until("event: progress"));
    EXPECT_EQ(server->in_flight(), 300);
    for (std::size_t i = 0; i < clients.size(); i += 2) clients[i].reset();
    service.change("queued", [](jobs::Job&) {});
    for (std::size_t i = 1; i < clients.size(); i += 2)
      ASSERT_TRUE(clients[i].read_until("id: 2\n"));
  }
  EXPECT_TRUE(eventually([&] { return open_descriptors() <= before && server->in_flight() == 0; }))
      << open_descriptors() << " > " << before;
  EXPECT_TRUE(alive());
}

TEST_F(EventsTest, OneWatcherFeedsAllStreams) {
  for (int i = 0; i < 50; ++i) service.put(sample_job("job" + std::to_string(i)));
  // Shared: a stream may read once more after this test's body.
  const auto readings = std::make_shared<std::atomic<int>>(0);
  service.on_job = [readings] { ++*readings; };
  std::vector<RawClient> clients;
  for (int i = 0; i < 100; ++i) {
    clients.push_back(follow("/api/v1/jobs/job" + std::to_string(i % 50) + "/events"));
  }
  for (RawClient& client : clients) ASSERT_TRUE(client.read_until("event: progress"));
  *readings = 0;
  service.looks = 0;
  clock.sleep_for(std::chrono::milliseconds(1000));
  EXPECT_EQ(*readings, 0) << "nothing has changed";
  EXPECT_GT(service.looks, 0);
  EXPECT_LT(service.looks, 10) << "one a tick, for all";
  service.change("job7", [](jobs::Job&) {});
  ASSERT_TRUE(clients[7].read_until("id: 2\n"));
  ASSERT_TRUE(clients[57].read_until("id: 2\n"));
  EXPECT_EQ(*readings, 1) << "what changed is read once for all who follow it";
}

}  // namespace
}  // namespace pytoon::http::testing_support
