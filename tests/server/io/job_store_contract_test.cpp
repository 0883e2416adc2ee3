// What every JobStore promises, asked of each of them.
#include "server/jobs/job_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "server/io/sqlite_store.h"
#include "server/jobs/memory_job_store.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::jobs {
using std::chrono::milliseconds;
using testing_support::sample_job;

constexpr std::int64_t kPlenty = 1000;
constexpr milliseconds kLease{20'000};
constexpr milliseconds kNow{0};

struct Made {
  std::unique_ptr<JobStore> store;
  // What an operator does with the sqlite3 program.
  std::function<void(const std::string& id, JobStatus status, const std::string& error)> by_hand;
};

struct Maker {
  std::string name;
  std::function<Made(const Clock& clock, const std::filesystem::path& folder)> make;
};

void PrintTo(const Maker& maker, std::ostream* out) { *out << maker.name; }

Made make_memory(const Clock& clock, const std::filesystem::path& /*folder*/) {
  auto store = std::make_unique<MemoryJobStore>(clock);
  MemoryJobStore* const raw = store.get();
  return {std::move(store),
          [raw](const std::string& id, JobStatus status, const std::string& error) {
            raw->set_by_hand(id, status, error);
          }};
}

Made make_sqlite(const Clock& clock, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "pytoon.db";
  auto store = io::SqliteStore::open(file, clock, {});
  EXPECT_TRUE(store) << store.failure().detail;
  return {std::move(store).value(),
          [file](const std::string& id, JobStatus status, const std::string& error) {
            io::Database hand(file, io::Database::Access::kWrite, milliseconds(1000));
            io::Statement update =
                hand.prepare("UPDATE jobs SET status = ?, error = ? WHERE id = ?");
            update.bind(name_of(status), error, id).step();
          }};
}

class JobStoreContract : public testing::TestWithParam<Maker> {
 protected:
  void SetUp() override {
    made_ = GetParam().make(clock_, folder_.path());
    store_ = made_.store.get();
  }

  void create(const std::string& id, const std::string& tenant = "acme", int priority = 5) {
    const auto created = store_->create(sample_job(id, tenant, priority), kPlenty);
    ASSERT_TRUE(created) << created.failure().detail;
  }
  Claim lease(const std::string& holder = "worker") {
    Result<std::optional<Claim>> claim = store_->lease_next(holder, kLease);
    EXPECT_TRUE(claim && claim->has_value());
    return **claim;
  }
  bool nothing_to_lease() {
    const auto claim = store_->lease_next("worker", kLease);
    return claim && !claim->has_value();
  }
  Job job(const std::string& id) { return *store_->job(id); }
  void walk_to_done(const Lease& lease) {
    for (const JobStatus to : {JobStatus::kPlanning, JobStatus::kRenderingSegments,
                               JobStatus::kAssembling, JobStatus::kDone}) {
      ASSERT_TRUE(store_->move(lease, {to, ""}));
    }
  }

  testing_support::HandClock clock_;
  testing_support::TemporaryFolder folder_;
  Made made_;
  JobStore* store_ = nullptr;
};

TEST_P(JobStoreContract, AJobComesBackAsItWent) {
  NewJob order = sample_job("a");
  order.job.spec.seed = 42;
  order.job.spec.captions_plan.hook = "Zürich 🙂 \"quoted\"";
  ASSERT_TRUE(store_->create(order, kPlenty));
  const Job job = *store_->job("a");
  EXPECT_EQ(job.tenant, "acme");
  EXPECT_EQ(job.status, JobStatus::kQueued);
  EXPECT_EQ(job.spec.seed, 42U);
  EXPECT_EQ(job.spec.captions_plan.hook, order.job.spec.captions_plan.hook);
  EXPECT_EQ(job.created_at, clock_.now());
  EXPECT_EQ(job.run, 1);
  EXPECT_EQ(job.queue_position, 1);
  EXPECT_FALSE(job.completed_at);
  const std::vector<Segment> segments = *store_->segments("a");
  ASSERT_EQ(segments.size(), 3U);
  EXPECT_EQ(segments[2].index, 2);
  EXPECT_EQ(segments[2].status, SegmentStatus::kPending);
  EXPECT_EQ(store_->job("b").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(store_->segments("b").failure().kind, FailureKind::kNotFound);
}

TEST_P(JobStoreContract, AKeySeenBeforeGivesItsJobOrIsRefused) {
  NewJob order = sample_job("a");
  order.idempotency_key = "key";
  order.body_sha256 = "one";
  ASSERT_TRUE(store_->create(order, kPlenty));
  order.job.id = "b";
  const auto again = store_->create(order, kPlenty);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->job_id, "a");
  EXPECT_EQ(again->segments, 3);
  EXPECT_TRUE(again->replayed);
  EXPECT_FALSE(store_->job("b"));
  order.body_sha256 = "two";
  EXPECT_EQ(store_->create(order, kPlenty).failure().kind, FailureKind::kInvalid);
  order.job.tenant = "other";
  EXPECT_FALSE(store_->create(order, kPlenty)->replayed);
  EXPECT_EQ((*store_->receipt("acme", "key"))->submitted.job_id, "a");
  EXPECT_FALSE(store_->receipt("acme", "unknown")->has_value());
}

TEST_P(JobStoreContract, AFullQueueTakesNoMoreButStillReplays) {
  NewJob order = sample_job("a");
  order.idempotency_key = "key";
  ASSERT_TRUE(store_->create(order, 1));
  EXPECT_EQ(store_->create(sample_job("b"), 1).failure().kind, FailureKind::kRateLimited);
  EXPECT_TRUE(store_->create(order, 1)->replayed);
  const Claim claim = lease();
  ASSERT_TRUE(store_->move(claim.lease, {JobStatus::kPlanning, ""}));
  EXPECT_TRUE(store_->create(sample_job("b"), 1));
  EXPECT_EQ(*store_->queued(), 1);
}

TEST_P(JobStoreContract, PagesGoFromNewToOldWithoutGapsOrRepeats) {
  for (const char* id : {"a", "b", "c", "d", "e"}) create(id);
  create("x", "other");
  ListQuery query;
  query.limit = 2;
  std::string seen;
  for (int pages = 0; pages < 4; ++pages) {
    const auto page = store_->list("acme", query);
    ASSERT_TRUE(page);
    for (const Job& job : page->jobs) seen += job.id;
    if (pages == 0) create("f");  // a newcomer does not shift the pages behind it
    query.cursor = page->next_cursor;
    if (query.cursor.empty()) break;
  }
  EXPECT_EQ(seen, "edcba");
  EXPECT_EQ(store_->list(std::nullopt, {})->jobs.size(), 7U);
  ListQuery bad;
  bad.cursor = "1; DROP TABLE jobs";
  EXPECT_EQ(store_->list("acme", bad).failure().kind, FailureKind::kInvalid);
}

TEST_P(JobStoreContract, ListsFilterByStatusAndKnowThePlaceInTheQueue) {
  create("a");
  create("b", "acme", 9);
  create("c");
  walk_to_done(lease().lease);  // b, of the highest priority
  ListQuery query;
  query.status = JobStatus::kDone;
  const auto done = store_->list("acme", query);
  ASSERT_EQ(done->jobs.size(), 1U);
  EXPECT_EQ(done->jobs[0].id, "b");
  query.status = JobStatus::kQueued;
  const auto queued = store_->list("acme", query);
  ASSERT_EQ(queued->jobs.size(), 2U);
  EXPECT_EQ(queued->jobs[0].queue_position, 2);
  EXPECT_EQ(queued->jobs[1].queue_position, 1);
}

TEST_P(JobStoreContract, LeasesGoByPriorityThenByAgeAndGrowTheEpoch) {
  create("old");
  create("new");
  create("urgent", "acme", 9);
  EXPECT_EQ(job("urgent").queue_position, 1);
  EXPECT_EQ(job("new").queue_position, 3);
  const Claim first = lease();
  const Claim second = lease();
  const Claim third = lease();
  EXPECT_EQ(first.job.id, "urgent");
  EXPECT_EQ(second.job.id, "old");
  EXPECT_EQ(third.job.id, "new");
  EXPECT_LT(first.lease.epoch, second.lease.epoch);
  EXPECT_LT(second.lease.epoch, third.lease.epoch);
  EXPECT_EQ(first.segments.size(), 3U);
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(JobStoreContract, ALeaseThatRunsOutIsTakenOverAndTheOldHolderIsFenced) {
  create("a");
  const Claim old = lease("dead");
  clock_.advance(kLease - milliseconds(1));
  EXPECT_TRUE(nothing_to_lease());
  clock_.advance(milliseconds(1));
  const Claim taken = lease("alive");
  EXPECT_EQ(taken.job.attempts, 1);
  EXPECT_EQ(taken.job.crashes, 1);
  EXPECT_GT(taken.lease.epoch, old.lease.epoch);
  Segment segment;
  EXPECT_EQ(store_->check(old.lease).failure().kind, FailureKind::kConflict);
  EXPECT_EQ(store_->renew(old.lease, kLease).failure().kind, FailureKind::kConflict);
  EXPECT_EQ(store_->put_segment(old.lease, segment).failure().kind, FailureKind::kConflict);
  EXPECT_EQ(store_->put_progress(old.lease, 5).failure().kind, FailureKind::kConflict);
  EXPECT_EQ(store_->note_fallback(old.lease, "x").failure().kind, FailureKind::kConflict);
  EXPECT_EQ(store_->move(old.lease, {JobStatus::kPlanning, ""}).failure().kind,
            FailureKind::kConflict);
  EXPECT_EQ(store_->release(old.lease, Ending::kHandedBack, kNow).failure().kind,
            FailureKind::kConflict);
  EXPECT_EQ(job("a").status, JobStatus::kQueued);
  EXPECT_TRUE(store_->check(taken.lease));
}

TEST_P(JobStoreContract, ARenewedLeaseStays) {
  create("a");
  const Claim claim = lease();
  clock_.advance(kLease / 2);
  ASSERT_TRUE(store_->renew(claim.lease, kLease));
  clock_.advance(kLease / 2);
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(JobStoreContract, AHandedBackJobIsFreeAtOnceAndSpentNoAttempt) {
  create("a");
  ASSERT_TRUE(store_->release(lease().lease, Ending::kHandedBack, kNow));
  const Claim again = lease("other");
  EXPECT_EQ(again.job.attempts, 0);
  ASSERT_TRUE(store_->release(again.lease, Ending::kCrashed, milliseconds(500)));
  EXPECT_TRUE(nothing_to_lease());
  clock_.advance(milliseconds(500));
  const Claim third = lease("other");
  EXPECT_EQ(third.job.attempts, 1);
  EXPECT_EQ(third.job.crashes, 1);
}

TEST_P(JobStoreContract, AtAStartTheLeasesOfTheDeadAreFree) {
  create("a");
  lease("dead");
  ASSERT_TRUE(store_->expire_leases_except("new"));
  const Claim taken = lease("new");
  EXPECT_EQ(taken.job.attempts, 1);
  ASSERT_TRUE(store_->expire_leases_except("new"));
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(JobStoreContract, AFinishedSegmentEndsARowOfCrashesUntilTheCardIsDue) {
  create("a");
  Claim claim = lease();
  const auto crash = [&] {
    ASSERT_TRUE(store_->release(claim.lease, Ending::kCrashed, kNow));
    claim = lease();
  };
  crash();
  crash();
  EXPECT_EQ(claim.job.crashes, 2);
  Segment segment = claim.segments[0];
  segment.status = SegmentStatus::kRunning;
  ASSERT_TRUE(store_->put_segment(claim.lease, segment));
  EXPECT_EQ(job("a").crashes, 2);
  segment.status = SegmentStatus::kDone;
  ASSERT_TRUE(store_->put_segment(claim.lease, segment));
  EXPECT_EQ(job("a").crashes, 0);
  for (int i = 0; i < kCrashesBeforeCard; ++i) crash();
  ASSERT_TRUE(store_->put_segment(claim.lease, segment));
  EXPECT_EQ(job("a").crashes, kCrashesBeforeCard);
  EXPECT_EQ(job("a").attempts, 2 + kCrashesBeforeCard);
}

TEST_P(JobStoreContract, AJobWalksForwardOnlyAndTakesNothingAfterItsEnd) {
  create("a");
  const Claim claim = lease();
  EXPECT_EQ(store_->move(claim.lease, {JobStatus::kDone, ""}).failure().kind,
            FailureKind::kConflict);
  const std::int64_t before = job("a").version;
  clock_.advance(milliseconds(1500));
  walk_to_done(claim.lease);
  const Job done = job("a");
  EXPECT_EQ(done.status, JobStatus::kDone);
  EXPECT_EQ(done.progress_pct, 100);
  EXPECT_EQ(done.completed_at, clock_.now());
  EXPECT_EQ(done.version, before + 4);
  EXPECT_EQ(store_->check(claim.lease).failure().kind, FailureKind::kConflict);
  EXPECT_EQ(store_->move(claim.lease, {JobStatus::kFailed, "late"}).failure().kind,
            FailureKind::kConflict);
  clock_.advance(kLease * 2);
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(JobStoreContract, AHumanSetsARowFailedAndWins) {
  create("a");
  const Claim claim = lease();
  ASSERT_TRUE(store_->move(claim.lease, {JobStatus::kPlanning, ""}));
  const std::int64_t before = job("a").version;
  made_.by_hand("a", JobStatus::kFailed, "Manual intervention: stuck job");
  EXPECT_EQ(store_->check(claim.lease).failure().kind, FailureKind::kConflict);
  EXPECT_EQ(store_->put_progress(claim.lease, 50).failure().kind, FailureKind::kConflict);
  EXPECT_EQ(store_->move(claim.lease, {JobStatus::kRenderingSegments, ""}).failure().kind,
            FailureKind::kConflict);
  const Job failed = job("a");
  EXPECT_EQ(failed.status, JobStatus::kFailed);
  EXPECT_EQ(failed.error, "Manual intervention: stuck job");
  EXPECT_GT(failed.version, before);
  clock_.advance(kLease * 2);
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(JobStoreContract, SegmentsProgressAndFallbackAreKept) {
  create("a");
  const Claim claim = lease();
  Segment segment = claim.segments[1];
  segment.status = SegmentStatus::kDone;
  segment.engine_used = "template";
  segment.content_key = "key";
  segment.artifact_key = "segments/key.1.mp4";
  segment.artifact_sha256 = "abc";
  segment.error = "it was hard";
  ASSERT_TRUE(store_->put_segment(claim.lease, segment));
  const Segment kept = (*store_->segments("a"))[1];
  EXPECT_EQ(kept.status, SegmentStatus::kDone);
  EXPECT_EQ(kept.engine_used, "template");
  EXPECT_EQ(kept.content_key, "key");
  EXPECT_EQ(kept.artifact_key, "segments/key.1.mp4");
  EXPECT_EQ(kept.artifact_sha256, "abc");
  EXPECT_EQ(kept.error, "it was hard");
  EXPECT_EQ((*store_->segments("a"))[0].status, SegmentStatus::kPending);
  ASSERT_TRUE(store_->put_progress(claim.lease, 40));
  ASSERT_TRUE(store_->put_progress(claim.lease, 30));
  EXPECT_EQ(job("a").progress_pct, 40);
  ASSERT_TRUE(store_->note_fallback(claim.lease, "first"));
  ASSERT_TRUE(store_->note_fallback(claim.lease, "second"));
  EXPECT_TRUE(job("a").fallback_used);
  EXPECT_EQ(job("a").fallback_reason, "first");
}

TEST_P(JobStoreContract, AssetsBelongToTheirTenant) {
  AssetRecord asset{"acme", "assets/acme/1.png", "../../etc/passwd", "mask", "png", 12, "1", 3, 4,
                    true};
  asset.duration_seconds = 12.5;
  asset.channels = 2;
  asset.sample_rate = 44'100;
  ASSERT_TRUE(store_->keep_asset(asset));
  ASSERT_TRUE(store_->keep_asset(asset));
  const AssetRecord kept = *store_->asset("acme", asset.key);
  EXPECT_EQ(kept.client_name, asset.client_name);
  EXPECT_EQ(kept.category, "mask");
  EXPECT_EQ(kept.format, "png");
  EXPECT_EQ(kept.size, 12);
  EXPECT_EQ(kept.width, 3);
  EXPECT_EQ(kept.height, 4);
  EXPECT_TRUE(kept.has_alpha);
  EXPECT_EQ(kept.duration_seconds, 12.5);
  EXPECT_EQ(kept.channels, 2);
  EXPECT_EQ(kept.sample_rate, 44'100);
  EXPECT_EQ(store_->asset("other", asset.key).failure().kind, FailureKind::kNotFound);
}

TEST_P(JobStoreContract, TwentyCopiesOfOneKeyAtOnceMakeOneJob) {
  std::vector<std::thread> threads;
  std::vector<std::string> ids(20);
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([this, &ids, i] {
      NewJob order = sample_job("job" + std::to_string(i));
      order.idempotency_key = "key";
      ids[static_cast<std::size_t>(i)] = store_->create(order, kPlenty)->job_id;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_EQ(store_->list("acme", {})->jobs.size(), 1U);
}

TEST_P(JobStoreContract, ThreadsNeverShareALease) {
  for (int i = 0; i < 40; ++i) create("job" + std::to_string(i));
  std::vector<std::thread> threads;
  std::atomic<int> leased{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this, &leased, t] {
      while (true) {
        const auto claim = store_->lease_next("worker" + std::to_string(t), kLease);
        if (!claim->has_value()) return;
        EXPECT_TRUE(store_->move((*claim)->lease, {JobStatus::kPlanning, ""}));
        ++leased;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(leased.load(), 40);
  EXPECT_TRUE(store_->probe());
}

INSTANTIATE_TEST_SUITE_P(Stores, JobStoreContract,
                         testing::Values(Maker{"memory", make_memory},
                                         Maker{"sqlite", make_sqlite}),
                         [](const auto& store) { return store.param.name; });

}  // namespace pytoon::jobs
