// Threads that wait for the wake-up channel of a real Redis. Nothing is judged by how long it took:
// whoever is not woken would look by itself only after an hour, and the test gives up long before.
#include "server/io/redis/redis_listener.h"
#include "server/io/redis/redis_notifier.h"
#include "server/worker/worker_pool.h"
#include "tests/server/worker/run_fixture.h"
#include "tests/support/eventually.h"
#include "tests/support/redis.h"

namespace pytoon::worker {
using jobs::JobStatus;

class NotifiedPool : public RunFixture {
 protected:
  static constexpr std::chrono::seconds kPatience{30};
  static constexpr milliseconds kNeverByItself = std::chrono::hours(1);

  // A worker with threads and an ear, as in a process of its own.
  struct Fellow {
    Fellow(NotifiedPool& house, const std::string& name, milliseconds poll)
        : options(options_of(house, name)),
          parts{*house.store_,  *house.store_,  *house.storage_,   renderer,   house.engine_chain_,
                house.presets_, house.metrics_, house.real_clock_, house.log_, house.process_},
          worker(parts, *house.store_, options, jobs::WorkerInfo{}),
          threads(worker, PoolOptions{poll, milliseconds(20)}),
          ear(
              house.address(), house.wakeup_options(), name, [this] { threads.notify(); },
              house.real_clock_, house.log_) {
      threads.tell([this](bool free) { ear.listen(free); });
    }
    ~Fellow() { threads.stop(); }

    static Options options_of(const NotifiedPool& house, const std::string& name) {
      Options options = house.options_;
      options.worker_id = name;
      return options;
    }

    testing_support::FakeRenderer renderer;
    const Options options;
    const WorkerDependencies parts;
    Worker worker;
    WorkerPool threads;
    io::RedisListener ear;
  };

  io::RedisAddress address() const {
    io::RedisAddress made;
    made.host = "127.0.0.1";
    made.port = redis_.port();
    return made;
  }
  io::WakeupOptions wakeup_options() const {
    io::WakeupOptions options;
    options.workers_woken = 1;
    options.limits = {milliseconds(500), milliseconds(500)};
    options.block = milliseconds(200);
    options.backoff = {milliseconds(20), milliseconds(200)};
    return options;
  }
  template <typename Condition>
  bool eventually(const Condition& condition) {
    return support::eventually(condition, kPatience, milliseconds(5));
  }
  bool ends(const std::string& id) {
    return eventually([&] { return job(id).status == JobStatus::kDone; });
  }

  SystemClock real_clock_;
  support::PrivateRedis redis_;
};

TEST_F(NotifiedPool, AnIdleWorkerBeginsWhenTheBellRings) {
  Fellow fellow(*this, "fellow", kNeverByItself);
  io::RedisNotifier notifier(address(), wakeup_options(), real_clock_, log_);
  ASSERT_TRUE(
      eventually([&] { return notifier.state().connected && fellow.ear.state().connected; }));
  fellow.threads.start();
  for (const char* id : {"a", "b", "c"}) {
    submit(order(id, 2));
    notifier.notify();
    EXPECT_TRUE(ends(id)) << id;
  }
}

TEST_F(NotifiedPool, ABusyWorkerLeavesTheRingToAnIdleOne) {
  std::atomic<bool> go_on{false};
  Fellow busy(*this, "busy", kNeverByItself);
  busy.renderer.on_render = [&](int, plan::SourceKind, const CancelToken& cancel) {
    eventually([&] { return go_on || cancel.cancelled(); });
    return ok_status();
  };
  submit(order("long", 1));
  busy.threads.start();
  ASSERT_TRUE(eventually([&] { return busy.renderer.calls() == 1; }));
  ASSERT_TRUE(eventually([&] { return busy.ear.state().connected; }));

  Fellow idle(*this, "idle", kNeverByItself);
  io::RedisNotifier notifier(address(), wakeup_options(), real_clock_, log_);
  idle.threads.start();
  ASSERT_TRUE(eventually([&] { return notifier.state().connected && idle.ear.state().connected; }));
  for (int i = 0; i < 6; ++i) {
    const std::string id = "job" + std::to_string(i);
    submit(order(id, 1));
    notifier.notify();
    EXPECT_TRUE(ends(id)) << id;
  }
  EXPECT_EQ(busy.ear.received(), 0);
  go_on = true;
  EXPECT_TRUE(ends("long"));
}

TEST_F(NotifiedPool, WithoutRedisWorkIsFoundByLooking) {
  redis_.kill();
  Fellow fellow(*this, "fellow", milliseconds(50));
  io::RedisNotifier notifier(address(), wakeup_options(), real_clock_, log_);
  fellow.threads.start();
  submit(order("a", 2));
  notifier.notify();
  EXPECT_TRUE(ends("a"));
  EXPECT_FALSE(fellow.ear.state().connected);
  EXPECT_EQ(fellow.ear.received(), 0);
}

TEST_F(NotifiedPool, WhatWasRungWhileRedisWasDeadIsFoundWhenItIsBack) {
  Fellow fellow(*this, "fellow", kNeverByItself);
  io::RedisNotifier notifier(address(), wakeup_options(), real_clock_, log_);
  fellow.threads.start();
  ASSERT_TRUE(
      eventually([&] { return notifier.state().connected && fellow.ear.state().connected; }));
  redis_.kill();
  ASSERT_TRUE(
      eventually([&] { return !notifier.state().connected && !fellow.ear.state().connected; }));
  submit(order("a", 2));
  notifier.notify();
  redis_.restart();
  EXPECT_TRUE(ends("a"));
}

}  // namespace pytoon::worker
