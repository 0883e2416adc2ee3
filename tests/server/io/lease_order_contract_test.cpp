// What every database promises about whose turn it is, and about many asking at once.
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/clock.h"
#include "server/jobs/job_trace.h"
#include "tests/server/io/store_fixture.h"

namespace pytoon::testing_support {
using jobs::JobStatus;
using jobs::LeasedTask;
using jobs::LeaseRequest;
using jobs::ReleaseReason;
using jobs::TaskKind;
using std::chrono::milliseconds;

namespace {

void create_weighted(jobs::JobStore& store, const std::string& id, const std::string& tenant,
                     int weight) {
  jobs::NewJob order = sample_job(id, tenant);
  order.weight = weight;
  ASSERT_TRUE(store.create(order, kPlenty));
}

}  // namespace

TEST_P(StoreContract, PriorityDecidesThenAge) {
  create("old");
  create("new");
  create("urgent", "acme", 9);
  const LeasedTask first = lease();
  const LeasedTask second = lease();
  const LeasedTask third = lease();
  EXPECT_EQ(first.job.id, "urgent");
  EXPECT_EQ(second.job.id, "old");
  EXPECT_EQ(third.job.id, "new");
  EXPECT_LT(first.lease.epoch, second.lease.epoch);
  EXPECT_LT(second.lease.epoch, third.lease.epoch);
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(StoreContract, TenantsTakeTurns) {
  for (int i = 0; i < 6; ++i) create("flood" + std::to_string(i), "flood");
  create("small0", "small");
  create("small1", "small");
  create("urgent", "flood", 6);
  std::string turns;
  for (int i = 0; i < 9; ++i) turns += lease().job.tenant[0];
  for (const std::size_t leased : {2U, 4U}) {
    const std::string some = turns.substr(0, leased);
    EXPECT_EQ(std::count(some.begin(), some.end(), 's'), leased / 2) << turns;
  }
}

TEST_P(StoreContract, WeightsDivideTheThreads) {
  for (int i = 0; i < 8; ++i) {
    create_weighted(*store_, "p" + std::to_string(i), "paying", 3);
    create_weighted(*store_, "f" + std::to_string(i), "free", 1);
  }
  std::string turns;
  for (int i = 0; i < 8; ++i) turns += lease().job.tenant[0];
  EXPECT_EQ(std::count(turns.begin(), turns.end(), 'p'), 6) << turns;
  create_weighted(*store_, "last", "paying", 1);
  EXPECT_EQ(store_->use_of("paying")->running_tasks, 6);
  EXPECT_EQ(lease().job.tenant, "free") << "its plan changed: 2 against 6 at equal weights";
}

// Nobody holds a lease when the next is given.
TEST_P(StoreContract, WeightsDivideTheWorkOfOneThread) {
  for (int i = 0; i < 12; ++i) {
    create_weighted(*store_, "p" + std::to_string(i), "paying", 3);
    create_weighted(*store_, "f" + std::to_string(i), "free", 1);
  }
  std::string turns;
  for (int i = 0; i < 12; ++i) {
    const LeasedTask leased = lease(TaskKind::kPrepare);
    turns += leased.job.tenant[0];
    prepare(leased);
  }
  EXPECT_EQ(std::count(turns.begin(), turns.end(), 'p'), 9) << turns;
}

TEST_P(StoreContract, APriorityOrdersItsOwnTenantsJobsOnly) {
  create("waits", "quiet", 0);
  create("first", "pushy", 8);
  create("urgent", "pushy", 9);
  EXPECT_EQ(lease().job.id, "waits");
  EXPECT_EQ(lease().job.id, "urgent");
  EXPECT_EQ(lease().job.id, "first");
}

// One thread that does one task after the other, whose length is its segment's. Gives the seconds
// until the job is drawn.
TEST_P(StoreContract, ATenantWithManyJobsDelaysAnotherByNoMoreThanItsOwnWork) {
  const auto step = [&] {
    const LeasedTask leased = lease();
    if (leased.lease.kind == TaskKind::kPrepare) prepare(leased);
    if (leased.lease.kind == TaskKind::kFinish) {
      EXPECT_TRUE(store_->finished(leased.lease, ""));
    }
    if (leased.lease.kind != TaskKind::kRender) return 0;
    render(leased);
    return leased.segments[static_cast<std::size_t>(leased.lease.segment)].duration_seconds;
  };
  const auto seconds_until_drawn = [&](const std::string& id) {
    int seconds = 0;
    while (job(id).progress_pct < 95) seconds += step();
    return seconds;
  };
  create("calm", "quiet", 0, 10);
  const int calm = seconds_until_drawn("calm");
  walk_to_done("calm");
  constexpr int kLongSegment = 15;
  for (int i = 0; i < 100; ++i) {
    jobs::NewJob order = sample_job("noise" + std::to_string(i), "noisy", 9, 4);
    for (auto& segment : order.segments) segment.duration_seconds = kLongSegment;
    ASSERT_TRUE(store_->create(order, kPlenty));
  }
  // It has the thread for itself, and owes nobody anything for that.
  for (int i = 0; i < 30; ++i) step();
  create("disturbed", "quiet", 0, 10);
  const int disturbed = seconds_until_drawn("disturbed");
  EXPECT_LE(disturbed, 2 * calm + 2 * kLongSegment) << "quiet it takes " << calm;
  EXPECT_GT(disturbed, calm) << "the other has its turns too";
}

TEST_P(StoreContract, ATenantThatHoldsMuchWaitsForOthers) {
  create_prepared("mine", 4);
  for (int i = 0; i < 3; ++i) lease(TaskKind::kRender);
  create("theirs", "other");
  EXPECT_EQ(lease().job.id, "theirs");
  EXPECT_EQ(lease().job.id, "mine");
}

TEST_P(StoreContract, AHandGetsOnlyWhatItCanDo) {
  create_prepared("a", 2, true);
  create("b");
  LeaseRequest request;
  request.worker_id = "nvenc";
  request.kinds = {TaskKind::kRender};
  request.encoders = {"h264_nvenc"};
  EXPECT_FALSE(try_lease(request)) << "the job is encoded with x264";
  request.encoders = {"h264_nvenc", "x264"};
  EXPECT_EQ(try_lease(request)->lease.kind, TaskKind::kRender);
  request.kinds = {TaskKind::kAudio, TaskKind::kFinish};
  request.encoders = {};
  EXPECT_EQ(try_lease(request)->lease.kind, TaskKind::kAudio);
  EXPECT_FALSE(try_lease(request));
  request.kinds = {};
  EXPECT_FALSE(try_lease(request));
}

TEST_P(StoreContract, JobsWhoseEncoderIsGoneGoOnWithAnother) {
  create("a", "acme", 5, 2);
  create_prepared("b");
  LeaseRequest nvenc = any_hand("gpu");
  nvenc.kinds = {TaskKind::kPrepare};
  LeasedTask leased = *try_lease(nvenc);
  jobs::PrepareResult preparation{"h264_nvenc", leased.segments, false};
  for (auto& segment : preparation.segments) segment.footage = plan::SourceKind::kImages;
  ASSERT_TRUE(store_->prepared(leased.lease, preparation));
  nvenc = any_hand("gpu");
  nvenc.encoders = {"h264_nvenc"};
  render(*try_lease(nvenc));
  const LeasedTask running = *try_lease(nvenc);
  ASSERT_EQ(running.job.encoder, "h264_nvenc");

  const milliseconds patience{60'000};
  jobs::WorkerInfo gpu;
  gpu.worker_id = "gpu";
  gpu.encoders = {"h264_nvenc", "x264"};
  jobs::WorkerInfo cpu;
  cpu.worker_id = "cpu";
  cpu.encoders = {"x264"};
  ASSERT_TRUE(store_->upsert_worker(gpu));
  ASSERT_TRUE(store_->upsert_worker(cpu));
  EXPECT_TRUE(store_->degrade("x264", patience)->empty());
  advance(patience + milliseconds(1));
  EXPECT_TRUE(store_->degrade("x264", patience)->empty()) << "nobody is left who has x264";
  ASSERT_TRUE(store_->upsert_worker(cpu));
  const auto degraded = *store_->degrade("x264", patience);
  ASSERT_EQ(degraded.size(), 1U);
  EXPECT_EQ(degraded[0].job_id, running.job.id);
  EXPECT_EQ(degraded[0].trace_id, jobs::trace_of(running.job).trace_id);
  EXPECT_EQ(degraded[0].from, "h264_nvenc");
  EXPECT_EQ(degraded[0].to, "x264");
  const jobs::Job job = *store_->job(running.job.id);
  EXPECT_EQ(job.encoder, "x264");
  EXPECT_NE(job.degraded.find("h264_nvenc"), std::string::npos);
  EXPECT_EQ(job.run, 2);
  for (const auto& segment : segments(job.id)) {
    EXPECT_EQ(segment.status, jobs::SegmentStatus::kPending);
    EXPECT_EQ(segment.artifact_key, "");
    EXPECT_EQ(segment.footage, plan::SourceKind::kImages);
  }
  EXPECT_TRUE(refused(store_->put_progress(running.lease, 1)));
  EXPECT_TRUE(store_->degrade("x264", patience)->empty()) << "once is enough";
}

TEST_P(StoreContract, ThreadsNeverShareALease) {
  for (int i = 0; i < 20; ++i) {
    create("job" + std::to_string(i), "tenant" + std::to_string(i % 3), 5, 2);
  }
  std::mutex mutex;
  std::set<std::int64_t> epochs;
  std::map<std::string, int> renders;
  std::vector<std::thread> threads;
  std::atomic<int> done{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const std::string worker_id = "worker" + std::to_string(t);
      SystemClock clock;
      while (done < 20) {
        const auto leased = store_->lease_next(any_hand(worker_id), kLease);
        ASSERT_TRUE(leased) << leased.failure().detail;
        if (!leased->has_value()) {
          clock.sleep_for(milliseconds(1));
          continue;
        }
        const jobs::Lease& lease = (*leased)->lease;
        if (lease.kind == TaskKind::kPrepare) prepare(**leased);
        if (lease.kind == TaskKind::kRender) render(**leased);
        if (lease.kind == TaskKind::kFinish) done += store_->finished(lease, "") ? 1 : 0;
        const std::lock_guard lock(mutex);
        EXPECT_TRUE(epochs.insert(lease.epoch).second);
        if (lease.kind == TaskKind::kRender) {
          ++renders[lease.job_id + "/" + std::to_string(lease.segment)];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(epochs.size(), 20U * 4);
  EXPECT_EQ(renders.size(), 40U);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(job("job" + std::to_string(i)).status, JobStatus::kDone);
  }
}

TEST_P(StoreContract, CancellingWhileWorkersWriteEndsEachJobOnce) {
  for (int i = 0; i < 12; ++i) create_told("job" + std::to_string(i));
  std::atomic<bool> over{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      while (!over) {
        const auto leased = store_->lease_next(any_hand("w" + std::to_string(t)), kLease);
        ASSERT_TRUE(leased) << leased.failure().detail;
        if (!leased->has_value()) continue;
        const jobs::Lease& lease = (*leased)->lease;
        jobs::PrepareResult preparation{"x264", (*leased)->segments, false};
        for (auto& segment : preparation.segments) segment.footage = plan::SourceKind::kImages;
        Status written = ok_status();
        if (lease.kind == TaskKind::kPrepare) written = store_->prepared(lease, preparation);
        if (lease.kind == TaskKind::kRender) {
          written = store_->segment_done(
              lease, (*leased)->segments[static_cast<std::size_t>(lease.segment)], 1);
        }
        if (lease.kind == TaskKind::kFinish) written = store_->finished(lease, "");
        EXPECT_TRUE(written || refused(written));
        EXPECT_TRUE(store_->renew({lease}, kLease));
      }
    });
  }
  for (int i = 11; i >= 0; --i) {
    const auto cancelled = store_->cancel("job" + std::to_string(i));
    EXPECT_TRUE(cancelled || cancelled.failure().kind == FailureKind::kConflict);
  }
  over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(nothing_to_lease());
  const auto events = *store_->take_events({100, kLease, {}});
  std::set<std::string> told;
  for (const auto& event : events) EXPECT_TRUE(told.insert(event.job_id).second) << event.job_id;
  EXPECT_EQ(told.size(), 12U);
}

}  // namespace pytoon::testing_support
