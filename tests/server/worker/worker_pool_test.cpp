#include "server/worker/worker_pool.h"

#include <condition_variable>

#include "tests/server/worker/run_fixture.h"
#include "tests/support/eventually.h"

namespace pytoon::worker {
using jobs::JobStatus;

// Real threads and real time, but nothing is judged by how long it took: waits end on events and
// only give up after kPatience.
class WorkerPoolTest : public RunFixture {
 protected:
  static constexpr std::chrono::seconds kPatience{20};

  // A worker with threads of its own.
  struct Pool {
    Worker worker;
    WorkerPool threads;

    Pool(const WorkerDependencies& parts, jobs::WorkerRegistry& fleet, const Options& options,
         const jobs::WorkerInfo& facts, const PoolOptions& pool)
        : worker(parts, fleet, options, facts), threads(worker, pool) {}
  };
  std::unique_ptr<Pool> pool(int threads) { return pool(threads, process_); }
  std::unique_ptr<Pool> pool(int threads, jobs::ProcessHealth& process) {
    Options options = options_;
    options.worker_id = "pool" + std::to_string(++pools_);
    options.back_off = milliseconds(1);
    options.render_threads = threads;
    jobs::WorkerInfo facts;
    const PoolOptions subject{milliseconds(20), milliseconds(5)};
    const WorkerDependencies real{*store_,  *store_,  *storage_,   renderer_, engine_chain_,
                                  presets_, metrics_, real_clock_, log_,      process};
    EXPECT_TRUE(store_->expire_leases_except(options.worker_id));
    EXPECT_TRUE(store_->reap());
    auto made = std::make_unique<Pool>(real, *store_, options, facts, subject);
    made->threads.start();
    return made;
  }
  template <typename Condition>
  bool eventually(const Condition& condition) {
    return support::eventually(condition, kPatience);
  }
  bool ends(const std::string& id, JobStatus status = JobStatus::kDone) {
    return eventually([&] { return job(id).status == status; });
  }
  // A render that takes until it is cancelled.
  void render_for_ever() {
    renderer_.on_render = [this](int, plan::SourceKind, const CancelToken& cancel) -> Status {
      eventually([&] { return cancel.cancelled(); });
      return failure(FailureKind::kCancelled, "cancelled");
    };
  }

  SystemClock real_clock_;
  int pools_ = 0;
};

TEST_F(WorkerPoolTest, SegmentsOfOneJobAreRenderedAtOnce) {
  std::mutex mutex;
  std::condition_variable met;
  int inside = 0;
  renderer_.on_render = [&](int index, plan::SourceKind, const CancelToken&) {
    if (index > 1) return ok_status();
    std::unique_lock lock(mutex);
    ++inside;
    met.notify_all();
    EXPECT_TRUE(met.wait_for(lock, kPatience, [&] { return inside == 2; }));
    return ok_status();
  };
  submit(order("a", 4));
  const auto workers = pool(2);
  EXPECT_TRUE(ends("a"));
  EXPECT_EQ(renderer_.most_running(), 2);
  EXPECT_EQ(renderer_.calls(), 4);
}

TEST_F(WorkerPoolTest, ManyJobsAllEndAndNoSegmentIsRenderedTwice) {
  for (int i = 0; i < 30; ++i) submit(order("job" + std::to_string(i)));
  const auto workers = pool(3);
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(ends("job" + std::to_string(i))) << i;
  EXPECT_EQ(renderer_.calls(), 90);
  EXPECT_TRUE(eventually([&] { return metrics_.done == 30; }));  // counted after the commit
  EXPECT_TRUE(eventually([&] { return workers->worker.held() == 0; }));
}

TEST_F(WorkerPoolTest, ABellWakesAnIdlePool) {
  const auto workers = pool(1);
  submit(order("a"));
  workers->threads.notify();
  EXPECT_TRUE(ends("a"));
}

// What each of its threads asks the database, however many are idle.
TEST_F(WorkerPoolTest, ANotificationMakesOneThreadOfEachPoolLook) {
  testing_support::CallCounter counter;
  testing_support::FaultInjectingTasks tasks(*store_, counter);
  const WorkerDependencies parts{*store_,  tasks,    *storage_,   renderer_, engine_chain_,
                                 presets_, metrics_, real_clock_, log_,      process_};
  Options options = options_;
  options.worker_id = "quiet";
  options.render_threads = 8;
  Pool pool(parts, *store_, options, {}, {std::chrono::hours(1), std::chrono::hours(1)});
  pool.threads.start();
  const int at_start = 8 + options.audio_threads;
  ASSERT_TRUE(eventually([&] { return counter.calls >= at_start; }));
  real_clock_.sleep_for(milliseconds(100));
  const int before = counter.calls;
  pool.threads.notify();
  ASSERT_TRUE(eventually([&] { return counter.calls >= before + 2; }));
  real_clock_.sleep_for(milliseconds(100));
  EXPECT_EQ(counter.calls, before + 2) << "one to render, one for sound";
  submit(order("a", 8));
  pool.threads.notify();
  EXPECT_TRUE(ends("a")) << "who finds a task wakes the next";
  EXPECT_GT(renderer_.most_running(), 0);
}

TEST_F(WorkerPoolTest, ThreadsThatHaveNothingToDoTakeUpTheNextJob) {
  // The only segment of each job waits for the other's: a second thread must have leased it.
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    EXPECT_TRUE(eventually([&] { return renderer_.most_running() == 2; }));
    return ok_status();
  };
  submit(order("a", 1));
  submit(order("b", 1));
  const auto workers = pool(2);
  EXPECT_TRUE(ends("a"));
  EXPECT_TRUE(ends("b"));
}

TEST_F(WorkerPoolTest, StoppingCancelsHandsBackAndTheNextPoolGoesOn) {
  submit(order("a"));
  render_for_ever();
  auto workers = pool(2);
  ASSERT_TRUE(eventually([&] { return renderer_.most_running() == 2; }));
  workers->threads.stop();
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  EXPECT_EQ(job("a").attempts, 0);
  renderer_.on_render = nullptr;
  workers = pool(2);
  EXPECT_TRUE(ends("a"));
  EXPECT_EQ(job("a").attempts, 0);
}

// What a process does between the loss of its card and its exit, and what the one after it finds.
TEST_F(WorkerPoolTest, APoolWhoseCardIsLostLeasesNoMoreAndHandsAllBack) {
  submit(order("a"));
  submit(order("b"));
  std::atomic<bool> lost{false};
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken& cancel) -> Status {
    EXPECT_TRUE(eventually([&] { return renderer_.most_running() == 2; }));
    if (!lost.exchange(true)) return failure(FailureKind::kDeviceLost, "the context is lost");
    eventually([&] { return cancel.cancelled(); });
    return failure(FailureKind::kCancelled, "cancelled");
  };
  auto workers = pool(2);
  ASSERT_TRUE(eventually([&] { return !process_.usable(); }));
  EXPECT_EQ(process_.reason(), "the context is lost");
  EXPECT_TRUE(eventually([&] { return workers->worker.held() == 1; }));
  workers->threads.notify();
  workers->threads.stop();
  EXPECT_EQ(renderer_.calls(), 2) << "it leased again";
  for (const char* id : {"a", "b"}) {
    EXPECT_EQ(job(id).attempts, 0) << id;
    EXPECT_EQ(job(id).crashes, 0) << id;
  }
  renderer_.on_render = nullptr;
  jobs::ProcessHealth fresh(log_);
  workers = pool(2, fresh);
  for (const char* id : {"a", "b"}) {
    EXPECT_TRUE(ends(id)) << id;
    EXPECT_EQ(job(id).attempts, 0) << id;
  }
}

TEST_F(WorkerPoolTest, AStartTakesOverWhatADeadProcessLeft) {
  submit(order("a"));
  finish_segments(*worker("dead"), "a", 2);
  auto leased =
      store_->lease_next({"dead", {jobs::TaskKind::kRender}, {"fake_encoder"}}, options_.lease);
  ASSERT_TRUE(leased && *leased);
  const auto workers = pool(1);
  EXPECT_TRUE(ends("a"));
  EXPECT_EQ(job("a").attempts, 1);
  EXPECT_EQ(renderer_.calls(), 3);
}

TEST_F(WorkerPoolTest, AHumansUpdateStopsARunningSegment) {
  submit(order("a"));
  submit(order("b"));
  render_for_ever();
  const auto workers = pool(1);
  ASSERT_TRUE(eventually([&] { return renderer_.calls() == 1; }));
  ASSERT_TRUE(store_->force_fail("a", "by hand"));
  EXPECT_TRUE(eventually([&] { return job("b").status == JobStatus::kRenderingSegments; }));
  EXPECT_EQ(job("a").error, "by hand");
  workers->threads.stop();
}

TEST_F(WorkerPoolTest, ADrainingWorkerFinishesWhatItHoldsAndTakesNoMore) {
  submit(order("a", 2));
  std::atomic<bool> draining{false};
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    eventually([&] { return draining.load(); });
    return ok_status();
  };
  const auto workers = pool(1);
  ASSERT_TRUE(eventually([&] { return renderer_.calls() == 1; }));
  workers->worker.set_draining(true);
  draining = true;
  EXPECT_TRUE(eventually([&] { return workers->worker.held() == 0; }));
  EXPECT_EQ(done_segments("a"), 1);
  workers->worker.set_draining(false);
  workers->threads.notify();
  EXPECT_TRUE(ends("a"));
}

// Maintenance that does not come back keeps nobody from renewing.
TEST_F(WorkerPoolTest, LeasesAreLookedAfterWhileMaintenanceIsSlow) {
  testing_support::CallCounter counter;
  class Slow final : public jobs::WorkerRegistry {
   public:
    std::function<void()> on_put = [] {};
    Status upsert_worker(const jobs::WorkerInfo&) override {
      on_put();
      return failure(FailureKind::kUnavailable, "slow");
    }
    Status remove_worker(const std::string&) override { return ok_status(); }
    Result<std::vector<jobs::WorkerInfo>> workers(milliseconds) override {
      return std::vector<jobs::WorkerInfo>();
    }
    Status set_draining(bool) override { return ok_status(); }
    Result<bool> draining() override { return false; }
  } fleet;
  std::atomic<bool> drawing{false};
  std::atomic<bool> looked_after{false};
  // Hardly anybody but the thread that beats asks for anything by then.
  fleet.on_put = [&] {
    if (!drawing || looked_after) return;
    const int before = counter.calls;
    looked_after = eventually([&] { return counter.calls >= before + 20; });
  };
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    drawing = true;
    eventually([&] { return looked_after.load(); });
    return ok_status();
  };
  testing_support::FaultInjectingTasks tasks(*store_, counter);
  const WorkerDependencies parts{*store_,  tasks,    *storage_,   renderer_, engine_chain_,
                                 presets_, metrics_, real_clock_, log_,      process_};
  Options options = options_;
  options.worker_id = "slow";
  options.lease = milliseconds(200);  // so that there is maintenance often
  Pool pool(parts, fleet, options, {}, {std::chrono::hours(1), milliseconds(5)});
  submit(order("a", 1));
  pool.threads.start();
  EXPECT_TRUE(ends("a"));
  EXPECT_TRUE(looked_after);
}

// The hook below runs on every thread that draws: it sees whether anybody else draws meanwhile.
TEST_F(WorkerPoolTest, AJobThatCrashedTwiceIsWorkedOnAlone) {
  auto suspect = order("suspect", 1);
  suspect.job.priority = 9;
  submit(suspect);
  ASSERT_TRUE(step(*worker("first")));  // prepares it
  crash_twice("suspect");
  for (const char* id : {"b", "c", "d"}) submit(order(id));
  std::atomic<int> drawing{0};
  std::atomic<bool> together{false};
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    const int others = drawing++;
    const bool is_suspect =
        job("suspect").status == JobStatus::kRenderingSegments && done_segments("suspect") == 0;
    if (is_suspect && others > 0) together = true;
    real_clock_.sleep_for(milliseconds(10));  // long enough to be caught, never needed to pass
    --drawing;
    return ok_status();
  };
  const auto workers = pool(3);
  for (const char* id : {"suspect", "b", "c", "d"}) EXPECT_TRUE(ends(id)) << id;
  EXPECT_FALSE(together);
  EXPECT_FALSE(job("suspect").fallback_used);
  workers->threads.stop();  // the hook looks at our variables
}

}  // namespace pytoon::worker
