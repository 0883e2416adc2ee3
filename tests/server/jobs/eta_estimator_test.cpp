#include "server/jobs/eta_estimator.h"

#include <gtest/gtest.h>

#include "server/io/open_store.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::jobs {

TEST(Eta, IsTheWorkSharedByTheThreads) {
  EXPECT_EQ(eta_seconds({10, 5, 2.0, 3}), 10);  // 15 segments of 2 s on 3 threads
  EXPECT_EQ(eta_seconds({0, 5, 2.0, 1}), 10);
  EXPECT_EQ(eta_seconds({0, 5, 2.1, 2}), 6);  // 5.25, rounded up
}

TEST(Eta, OneSegmentIsDrawnByOneThread) {
  EXPECT_EQ(eta_seconds({0, 2, 4.0, 16}), 4);
  EXPECT_EQ(eta_seconds({0, 0.5, 4.0, 16}), 2);
  EXPECT_EQ(eta_seconds({0, 0, 4.0, 16}), 1);  // only assembling is left
}

TEST(Eta, IsUnknownWithoutAPaceOrThreads) {
  EXPECT_EQ(eta_seconds({0, 5, 0, 2}), std::nullopt);
  EXPECT_EQ(eta_seconds({0, 5, 2.0, 0}), std::nullopt);
}

Backlog waiting(std::int64_t jobs, std::int64_t segments, double pace, int threads) {
  Backlog backlog;
  backlog.queued_jobs = jobs;
  backlog.open_segments = segments;
  backlog.seconds_per_segment = pace;
  backlog.threads = threads;
  return backlog;
}

TEST(RetryAfter, IsWhenATenthOfTheQueueIsDrawn) {
  using std::chrono::seconds;
  EXPECT_EQ(retry_after(waiting(100, 500, 2, 4)), seconds(25));         // of 250 s
  EXPECT_EQ(retry_after(waiting(100, 500, 2, 8)), seconds(13));         // of 125 s, rounded up
  EXPECT_EQ(retry_after(waiting(100, 1000, 2, 4)), seconds(50));        // twice the work
  EXPECT_EQ(retry_after(waiting(4, 20, 2, 1)), seconds(10));            // one of the four jobs
  EXPECT_EQ(retry_after(waiting(10'000, 50'000, 9, 2)), seconds(600));  // the longest
  EXPECT_EQ(retry_after(waiting(100, 500, 0.001, 64)), seconds(1));     // the shortest
}

TEST(RetryAfter, IsAMinuteWhereNothingIsKnown) {
  EXPECT_EQ(retry_after(waiting(100, 500, 0, 4)), std::chrono::seconds(60));
  EXPECT_EQ(retry_after(waiting(100, 500, 2, 0)), std::chrono::seconds(60));
}

TEST(SegmentsLeft, GoByTheProgressOfDrawing) {
  Job job;
  job.spec = testing_support::sample_spec(4);
  EXPECT_DOUBLE_EQ(segments_left(job), 4);
  job.progress_pct = 95;
  EXPECT_DOUBLE_EQ(segments_left(job), 0);
  job.progress_pct = 99;
  EXPECT_DOUBLE_EQ(segments_left(job), 0);
}

class EtaEstimatorTest : public testing::Test {
 protected:
  Job stored(const std::string& id) { return *store_->job(id); }
  void create(const std::string& id, int priority) {
    ASSERT_TRUE(store_->create(testing_support::sample_job(id, "acme", priority, 3), {100}));
  }
  void see_worker() {
    WorkerInfo worker;
    worker.worker_id = "w";
    worker.threads = 2;
    ASSERT_TRUE(store_->upsert_worker(worker));
  }
  // One segment of the job done in `seconds`, the job then left to others.
  void draw_one(const std::string& id, double seconds) {
    const LeaseRequest request{"w", {TaskKind::kPrepare, TaskKind::kRender}, {"x264"}};
    auto leased = store_->lease_next(request, std::chrono::seconds(20));
    ASSERT_TRUE(leased && *leased);
    ASSERT_EQ((*leased)->job.id, id);
    PrepareResult preparation{"x264", (*leased)->segments, false};
    for (Segment& segment : preparation.segments) segment.footage = plan::SourceKind::kImages;
    ASSERT_TRUE(store_->prepared((*leased)->lease, preparation));
    leased = store_->lease_next(request, std::chrono::seconds(20));
    Segment segment = (*leased)->segments.at(0);
    segment.status = SegmentStatus::kDone;
    ASSERT_TRUE(store_->segment_done((*leased)->lease, segment, seconds));
  }

  testing_support::HandClock clock_;
  std::unique_ptr<io::SqlStore> store_ = io::open_memory_store(clock_);
  EtaEstimator forecast_{*store_, clock_};
};

TEST_F(EtaEstimatorTest, CountsWhatIsServedBefore) {
  create("first", 9);
  create("second", 5);
  EXPECT_EQ(forecast_.eta_seconds(stored("second")), std::nullopt) << "no worker, no pace";
  see_worker();
  draw_one("first", 4.0);
  clock_.advance(std::chrono::seconds(2));
  // Two segments of the first and three of its own, 4 s each, on two threads.
  EXPECT_EQ(forecast_.eta_seconds(stored("second")), 10);
  ASSERT_TRUE(store_->cancel("first"));
  EXPECT_EQ(forecast_.eta_seconds(stored("second")), 6);
  EXPECT_EQ(forecast_.eta_seconds(stored("first")), std::nullopt) << "it has ended";
}

}  // namespace pytoon::jobs
