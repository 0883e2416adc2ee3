#include "server/worker/worker_pool.h"

#include <condition_variable>

#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using jobs::JobStatus;
using render::Footage;

// Real threads and real time, but nothing is judged by how long it took: waits end on events and
// only give up after kPatience.
class WorkerPoolTest : public RunFixture {
 protected:
  static constexpr std::chrono::seconds kPatience{20};

  std::unique_ptr<WorkerPool> pool(int threads) {
    PoolOptions options;
    options.threads = threads;
    options.holder = "pool";
    options.run = options_;
    options.poll = milliseconds(20);
    options.beat = milliseconds(5);
    RunParts real{store_, *storage_, renderer_, ladder_, presets_, metrics_, real_clock_, log_};
    return std::make_unique<WorkerPool>(real, options);
  }
  template <typename Condition>
  bool eventually(const Condition& condition) {
    const SteadyTime give_up = real_clock_.steady_now() + kPatience;
    while (real_clock_.steady_now() < give_up) {
      if (condition()) return true;
      real_clock_.sleep_for(milliseconds(2));
    }
    return false;
  }
  bool ends(const std::string& id, JobStatus status = JobStatus::kDone) {
    return eventually([&] { return job(id).status == status; });
  }
  // A render that takes until it is cancelled.
  void render_for_ever() {
    renderer_.on_render = [this](int, Footage, const CancelToken& cancel) -> Status {
      eventually([&] { return cancel.cancelled(); });
      return failure(FailureKind::kCancelled, "cancelled");
    };
  }

  SystemClock real_clock_;
};

TEST_F(WorkerPoolTest, SegmentsOfOneJobAreRenderedAtOnce) {
  std::mutex mutex;
  std::condition_variable met;
  int inside = 0;
  renderer_.on_render = [&](int index, Footage, const CancelToken&) {
    if (index > 1) return ok_status();
    std::unique_lock lock(mutex);
    ++inside;
    met.notify_all();
    EXPECT_TRUE(met.wait_for(lock, kPatience, [&] { return inside == 2; }));
    return ok_status();
  };
  submit(order("a", 4));
  const auto workers = pool(2);
  ASSERT_TRUE(workers->start());
  EXPECT_TRUE(ends("a"));
  EXPECT_EQ(renderer_.most_running(), 2);
  EXPECT_EQ(renderer_.calls(), 4);
}

TEST_F(WorkerPoolTest, ManyJobsAllEndAndNoSegmentIsRenderedTwice) {
  for (int i = 0; i < 30; ++i) submit(order("job" + std::to_string(i)));
  const auto workers = pool(3);
  ASSERT_TRUE(workers->start());
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(ends("job" + std::to_string(i))) << i;
  EXPECT_EQ(renderer_.calls(), 90);
  EXPECT_EQ(metrics_.done, 30);
  EXPECT_TRUE(eventually([&] { return workers->active_jobs() == 0; }));
}

TEST_F(WorkerPoolTest, ABellWakesAnIdlePool) {
  const auto workers = pool(1);
  ASSERT_TRUE(workers->start());
  submit(order("a"));
  workers->ring();
  EXPECT_TRUE(ends("a"));
}

TEST_F(WorkerPoolTest, ThreadsThatHaveNothingToDoTakeUpTheNextJob) {
  // The only segment of each job waits for the other's: a second thread must have leased it.
  renderer_.on_render = [&](int, Footage, const CancelToken&) {
    EXPECT_TRUE(eventually([&] { return renderer_.most_running() == 2; }));
    return ok_status();
  };
  submit(order("a", 1));
  submit(order("b", 1));
  const auto workers = pool(2);
  ASSERT_TRUE(workers->start());
  EXPECT_TRUE(ends("a"));
  EXPECT_TRUE(ends("b"));
}

TEST_F(WorkerPoolTest, StoppingCancelsHandsBackAndTheNextPoolGoesOn) {
  submit(order("a"));
  render_for_ever();
  auto workers = pool(2);
  ASSERT_TRUE(workers->start());
  ASSERT_TRUE(eventually([&] { return renderer_.most_running() == 2; }));
  workers->stop();
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  EXPECT_EQ(job("a").attempts, 0);
  renderer_.on_render = nullptr;
  workers = pool(2);
  ASSERT_TRUE(workers->start());
  EXPECT_TRUE(ends("a"));
  EXPECT_EQ(job("a").attempts, 0);
}

TEST_F(WorkerPoolTest, AStartTakesOverWhatADeadProcessLeft) {
  submit(order("a"));
  finish_segments(*lease("dead"), "a", 2);
  const auto workers = pool(1);
  ASSERT_TRUE(workers->start());
  EXPECT_TRUE(ends("a"));
  EXPECT_EQ(job("a").attempts, 1);
  EXPECT_EQ(renderer_.calls(), 3);
}

TEST_F(WorkerPoolTest, AHumansUpdateStopsARunningSegment) {
  submit(order("a"));
  submit(order("b"));
  render_for_ever();
  const auto workers = pool(1);
  ASSERT_TRUE(workers->start());
  ASSERT_TRUE(eventually([&] { return renderer_.calls() == 1; }));
  store_.set_by_hand("a", JobStatus::kFailed, "by hand");
  EXPECT_TRUE(eventually([&] { return job("b").status == JobStatus::kRenderingSegments; }));
  EXPECT_EQ(job("a").error, "by hand");
  workers->stop();
}

TEST_F(WorkerPoolTest, ADrainingPoolFinishesWhatItHasAndTakesNoMore) {
  submit(order("a"));
  std::atomic<bool> draining{false};
  renderer_.on_render = [&](int, Footage, const CancelToken&) {
    eventually([&] { return draining.load(); });
    return ok_status();
  };
  const auto workers = pool(1);
  ASSERT_TRUE(workers->start());
  ASSERT_TRUE(eventually([&] { return renderer_.calls() == 1; }));
  workers->set_draining(true);
  submit(order("b"));
  workers->ring();
  draining = true;
  EXPECT_TRUE(ends("a"));
  EXPECT_TRUE(eventually([&] { return workers->active_jobs() == 0; }));
  EXPECT_EQ(job("b").status, JobStatus::kQueued);
  workers->set_draining(false);
  EXPECT_TRUE(ends("b"));
}

TEST_F(WorkerPoolTest, AJobThatCrashedTwiceRunsAlone) {
  submit(order("suspect"));
  submit(order("b"));
  for (int i = 0; i < 2; ++i) {
    const auto claim = *store_.lease_next("worker", milliseconds(1000));
    ASSERT_EQ(claim->job.id, "suspect");
    ASSERT_TRUE(store_.release(claim->lease, jobs::Ending::kCrashed, milliseconds(0)));
  }
  std::atomic<bool> together{false};
  renderer_.on_render = [&](int, Footage, const CancelToken&) {
    const bool b_began = job("b").status != JobStatus::kQueued;
    if (done_segments("suspect") < 3 && b_began) together = true;
    return ok_status();
  };
  const auto workers = pool(3);
  ASSERT_TRUE(workers->start());
  EXPECT_TRUE(ends("suspect"));
  EXPECT_TRUE(ends("b"));
  EXPECT_FALSE(together);
  EXPECT_FALSE(job("suspect").fallback_used);
}

TEST_F(WorkerPoolTest, ASuspectWaitsForTheJobsThatWereThereBefore) {
  submit(order("suspect"));
  for (int i = 0; i < 2; ++i) {
    const auto claim = *store_.lease_next("worker", milliseconds(1000));
    ASSERT_TRUE(store_.release(claim->lease, jobs::Ending::kCrashed, milliseconds(0)));
  }
  auto first = order("first");
  first.job.priority = 9;
  submit(first);
  const auto workers = pool(2);
  std::atomic<bool> together{false};
  renderer_.on_render = [&](int index, Footage, const CancelToken&) {
    if (index > 0 || job("first").status == JobStatus::kDone) return ok_status();
    EXPECT_TRUE(eventually([&] { return workers->active_jobs() == 2; }));
    real_clock_.sleep_for(milliseconds(50));  // long enough to be caught, never needed to pass
    together = job("suspect").status != JobStatus::kQueued;
    return ok_status();
  };
  ASSERT_TRUE(workers->start());
  EXPECT_TRUE(ends("first"));
  EXPECT_TRUE(ends("suspect"));
  EXPECT_FALSE(together);
  workers->stop();  // the hook looks at the pool
}

}  // namespace pytoon::worker
