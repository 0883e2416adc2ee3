#include <filesystem>

#include "tests/server/io/redis/notifier_fixture.h"

namespace pytoon::io {

class DoorbellTest : public DoorbellFixture {
 protected:
  // An entry that was read by a command given up on a busy machine is lost, as it may be; where
  // entries are counted no command is.
  static WakeupOptions patient() {
    WakeupOptions options = hasty();
    options.limits = {std::chrono::seconds(20), std::chrono::seconds(20)};
    return options;
  }
  std::unique_ptr<RedisNotifier> patient_bell() { return notifier(redis_.port(), patient()); }
  std::unique_ptr<RedisListener> patient_listener(std::atomic<int>& wakes,
                                                  const std::string& name = "worker-1") {
    return listener(redis_.port(), wakes, name, patient());
  }

  support::PrivateRedis redis_;
};

TEST_F(DoorbellTest, ARingWakesAWorkerSoon) {
  std::atomic<int> wakes{0};
  const auto received = patient_listener(wakes);
  ASSERT_TRUE(eventually([&] { return received->state().connected; }));
  const auto notified = patient_bell();
  // The first wake-up; before the notifier knows that it arrived, others are dropped.
  ASSERT_TRUE(
      eventually([&] { return received->received() == 4 && notified->counts().sent == 1; }));
  std::vector<std::int64_t> latencies_us;
  for (int i = 0; i < 50; ++i) {
    const int before = wakes;
    const SteadyTime start = clock_.steady_now();
    notified->notify();
    while (wakes == before && clock_.steady_now() < start + std::chrono::seconds(20)) {
      std::this_thread::yield();
    }
    latencies_us.push_back(
        std::chrono::duration_cast<std::chrono::microseconds>(clock_.steady_now() - start).count());
    ASSERT_GT(wakes, before);
    const std::int64_t all = 4 * (i + 2);
    ASSERT_TRUE(eventually([&] { return received->received() == all; }));
  }
  std::sort(latencies_us.begin(), latencies_us.end());
  RecordProperty("wake_latency_us_p50", static_cast<int>(latencies_us[25]));
  RecordProperty("wake_latency_us_max", static_cast<int>(latencies_us.back()));
  std::cout << "wake latency: p50 " << latencies_us[25] << " us, max " << latencies_us.back()
            << " us\n";
  EXPECT_EQ(notified->counts().notified, 50);
  EXPECT_EQ(notified->counts().sent, 51);
  EXPECT_EQ(notified->counts().dropped, 0);
}

TEST_F(DoorbellTest, OneRingWakesSeveralWorkersButNotAll) {
  std::vector<std::atomic<int>> wakes(8);
  std::vector<std::unique_ptr<RedisListener>> listeners;
  for (int i = 0; i < 8; ++i) {
    listeners.push_back(patient_listener(wakes[i], "worker-" + std::to_string(i)));
  }
  const auto all_heard = [&] {
    std::int64_t received = 0;
    for (const auto& one : listeners) received += one->received();
    return received;
  };
  ASSERT_TRUE(eventually([&] {
    return std::all_of(listeners.begin(), listeners.end(),
                       [](const auto& one) { return one->state().connected; });
  }));
  const auto notified = patient_bell();
  ASSERT_TRUE(eventually([&] {
    notified->notify();
    return std::count_if(listeners.begin(), listeners.end(),
                         [](const auto& one) { return one->received() > 0; }) >= 2;
  }));
  const std::int64_t received = all_heard();
  EXPECT_LE(received, 4 * (notified->counts().sent + 1));  // one more may be on its way
}

TEST_F(DoorbellTest, AWorkerWithFullHandsLeavesTheEntryToAnother) {
  std::atomic<int> busy_wakes{0};
  std::atomic<int> free_wakes{0};
  const auto busy = patient_listener(busy_wakes, "busy");
  ASSERT_TRUE(eventually([&] { return busy->state().connected; }));
  busy->listen(false);
  const int before = busy_wakes;
  const auto notified = patient_bell();
  ASSERT_TRUE(eventually([&] { return notified->counts().sent == 1; }));
  const auto free = patient_listener(free_wakes, "free");
  ASSERT_TRUE(eventually([&] { return free->received() >= 4; }));
  EXPECT_EQ(busy_wakes, before);
  EXPECT_EQ(busy->received(), 0);
  // Nobody free: the entries wait until somebody is.
  free->listen(false);
  clock_.sleep_for(hasty().block);
  notified->notify();
  ASSERT_TRUE(eventually([&] { return notified->counts().sent == 2; }));
  busy->listen(true);
  EXPECT_TRUE(eventually([&] { return busy->received() >= 4; }));
}

TEST_F(DoorbellTest, NothingIsLeftPendingAndTheStreamStaysShort) {
  std::atomic<int> wakes{0};
  const auto received = patient_listener(wakes);
  ASSERT_TRUE(eventually([&] { return received->state().connected; }));
  const auto notified = patient_bell();
  ASSERT_TRUE(eventually([&] { return received->received() == 4; }));
  Result<RedisConnection> connection = RedisConnection::open(address(redis_.port()), RedisLimits{});
  ASSERT_TRUE(connection);
  const WakeupOptions options = hasty();
  const Result<RedisReply> pending = connection->run({"XPENDING", options.stream, options.group});
  ASSERT_TRUE(pending);
  EXPECT_EQ(pending->elements().at(0)->integer, 0);
  ASSERT_TRUE(add_entries(*connection, options, 2000));
  const Result<RedisReply> length = connection->run({"XLEN", options.stream});
  ASSERT_TRUE(length);
  EXPECT_LT(length->number(), 500);
}

TEST_F(DoorbellTest, DeadConsumersAreForgotten) {
  Result<RedisConnection> connection = RedisConnection::open(address(redis_.port()), RedisLimits{});
  ASSERT_TRUE(connection);
  const WakeupOptions options = hasty();
  ASSERT_TRUE(make_group(*connection, options, "$"));
  ASSERT_TRUE(make_group(*connection, options, "$"));  // there already
  for (const char* name : {"dead", "alive"}) {
    ASSERT_TRUE(connection->run({"XGROUP", "CREATECONSUMER", options.stream, options.group, name}));
  }
  clock_.sleep_for(std::chrono::milliseconds(1100));
  ASSERT_TRUE(add_entries(*connection, options, 1));
  ASSERT_TRUE(connection->run({"XREADGROUP", "GROUP", options.group, "alive", "COUNT", "1",
                               "STREAMS", options.stream, ">"}));
  ASSERT_TRUE(forget_consumers(*connection, options, std::chrono::seconds(1)));
  const Result<RedisReply> left =
      connection->run({"XINFO", "CONSUMERS", options.stream, options.group});
  ASSERT_TRUE(left);
  ASSERT_EQ(left->elements().size(), 1U);
  EXPECT_EQ(RedisReply::text_of(*RedisReply::elements_of(*left->elements()[0]).at(1)), "alive");
}

TEST_F(DoorbellTest, ARingNeverWaitsForRedis) {
  const auto notified = notifier(redis_.port());
  ASSERT_TRUE(eventually([&] { return notified->state().connected; }));
  redis_.pause();
  const SteadyTime start = clock_.steady_now();
  for (int i = 0; i < 10'000; ++i) notified->notify();
  const auto took = clock_.steady_now() - start;
  RecordProperty("ring_ns", static_cast<int>(took.count() / 10'000));
  EXPECT_EQ(notified->counts().notified, 10'000);
  // Redis was stopped for good: a wake-up that waited for an answer would never return.
  EXPECT_TRUE(eventually([&] { return !notified->state().connected; }));
  redis_.resume();
  EXPECT_TRUE(eventually([&] { return notified->state().connected; }));
}

TEST_F(DoorbellTest, ThreadsEndWithTheirOwners) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  const auto before = threads();
  for (int i = 0; i < 5; ++i) {
    std::atomic<int> wakes{0};
    const auto received = listener(redis_.port(), wakes);
    const auto notified = notifier(redis_.port());
    EXPECT_EQ(threads(), before + 2);
    if (i > 1) {
      ASSERT_TRUE(eventually([&] { return notified->state().connected && wakes > 0; }));
    }
  }
  EXPECT_EQ(threads(), before);
}

}  // namespace pytoon::io
