// What every database promises about jobs (server/jobs/job_store.h).
#include <thread>

#include "tests/server/io/store_fixture.h"

namespace pytoon::testing_support {
using jobs::AssetRecord;
using jobs::Job;
using jobs::JobStatus;
using jobs::LeasedTask;
using jobs::ListQuery;
using jobs::NewJob;
using jobs::Segment;
using jobs::SegmentStatus;
using jobs::TaskKind;
using std::chrono::milliseconds;

TEST_P(StoreContract, AJobComesBackAsItWent) {
  NewJob order = sample_job("a");
  order.job.spec.seed = 42;
  order.job.spec.captions_plan.hook = "Zürich 🙂 \"quoted\"";
  order.job.webhook_url = "https://example.com/hook";
  ASSERT_TRUE(store_->create(order, kPlenty));
  const Job job = *store_->job("a");
  EXPECT_EQ(job.tenant, "acme");
  EXPECT_EQ(job.status, JobStatus::kQueued);
  EXPECT_EQ(job.spec.seed, 42U);
  EXPECT_EQ(job.spec.captions_plan.hook, order.job.spec.captions_plan.hook);
  EXPECT_EQ(job.webhook_url, order.job.webhook_url);
  EXPECT_GT(job.created_at, WallTime{});
  EXPECT_EQ(job.run, 1);
  EXPECT_EQ(job.queue_position, 1);
  EXPECT_FALSE(job.started_at || job.rendered_at || job.completed_at);
  const std::vector<Segment> segments = *store_->segments("a");
  ASSERT_EQ(segments.size(), 3U);
  EXPECT_EQ(segments[2].index, 2);
  EXPECT_EQ(segments[2].status, SegmentStatus::kPending);
  EXPECT_EQ(segments[2].duration_seconds, 3);
  EXPECT_FALSE(segments[2].footage);
  EXPECT_EQ(store_->job("b").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(store_->segments("b").failure().kind, FailureKind::kNotFound);
}

TEST_P(StoreContract, TheFirstSecretOfANameIsEverybodys) {
  EXPECT_EQ(*store_->shared_secret("links", "one"), "one");
  EXPECT_EQ(*store_->shared_secret("links", "two"), "one");
  EXPECT_EQ(*store_->shared_secret("other", "three"), "three");
}

TEST_P(StoreContract, AKeySeenBeforeGivesItsJobOrIsRefused) {
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
  EXPECT_EQ((*store_->record("acme", "key"))->submitted.job_id, "a");
  EXPECT_FALSE(store_->record("acme", "unknown")->has_value());
}

TEST_P(StoreContract, AFullQueueTakesNoMoreButStillReplays) {
  NewJob order = sample_job("a");
  order.idempotency_key = "key";
  ASSERT_TRUE(store_->create(order, {1}));
  EXPECT_EQ(store_->create(sample_job("b"), {1}).failure().kind, FailureKind::kRateLimited);
  EXPECT_EQ(store_->job("b").failure().kind, FailureKind::kNotFound);
  EXPECT_TRUE(store_->create(order, {1})->replayed);
  lease();
  EXPECT_EQ(store_->queued("acme")->all, 0);
  EXPECT_TRUE(store_->create(sample_job("b"), {1}));
  EXPECT_EQ(store_->queued("acme")->all, 1);
}

TEST_P(StoreContract, ATenantsFullQueueLeavesRoomForOthers) {
  const jobs::QueueLimits limits{10, 2};
  for (const char* id : {"a", "b"}) ASSERT_TRUE(store_->create(sample_job(id, "noisy"), limits));
  const auto third = store_->create(sample_job("c", "noisy"), limits);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.failure().kind, FailureKind::kRateLimited);
  EXPECT_EQ(third.failure().detail, "your queue is full (2 jobs are waiting): try again later");
  EXPECT_TRUE(store_->create(sample_job("c", "quiet"), limits));
  EXPECT_EQ(store_->queued("noisy")->of_tenant, 2);
  EXPECT_EQ(store_->queued("quiet")->all, 3);
}

TEST_P(StoreContract, PagesGoFromNewToOldWithoutGapsOrRepeats) {
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

TEST_P(StoreContract, ListsFilterByStatusAndKnowThePlaceInTheQueue) {
  create("a");
  create("b", "acme", 9);
  create("c");
  EXPECT_EQ(job("b").queue_position, 1);
  EXPECT_EQ(job("c").queue_position, 3);
  ASSERT_TRUE(store_->cancel("b"));
  ListQuery query;
  query.status = JobStatus::kCancelled;
  const auto cancelled = store_->list("acme", query);
  ASSERT_EQ(cancelled->jobs.size(), 1U);
  EXPECT_EQ(cancelled->jobs[0].id, "b");
  const auto all = store_->list("acme", {});
  ASSERT_EQ(all->jobs.size(), 3U);
  EXPECT_EQ(all->jobs[0].queue_position, 2);
  EXPECT_EQ(all->jobs[1].queue_position, 0);
  EXPECT_EQ(all->jobs[2].queue_position, 1);
  EXPECT_EQ(all->jobs[2].spec.preset_id, "product_hero_clean");
}

TEST_P(StoreContract, AnEndedJobCannotBeEndedAgain) {
  create("a");
  const Job cancelled = *store_->cancel("a");
  EXPECT_EQ(cancelled.status, JobStatus::kCancelled);
  EXPECT_TRUE(cancelled.completed_at);
  EXPECT_EQ(cancelled.spec.preset_id, "product_hero_clean");
  EXPECT_TRUE(nothing_to_lease());
  for (const auto& again :
       {store_->cancel("a"), store_->force_fail("a", "x"), store_->retry("a")}) {
    ASSERT_FALSE(again);
    EXPECT_EQ(again.failure().kind, FailureKind::kConflict);
  }
  EXPECT_EQ(job("a").version, cancelled.version);
  EXPECT_EQ(store_->cancel("none").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(store_->force_fail("none", "").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(store_->retry("none").failure().kind, FailureKind::kNotFound);
}

TEST_P(StoreContract, ARetryKeepsFinishedSegmentsAndForgetsTheRest) {
  create_prepared("a", 4);
  const LeasedTask done = lease(TaskKind::kRender);
  render(done);
  const LeasedTask failing = lease(TaskKind::kRender);
  ASSERT_TRUE(store_->note_fallback(failing.lease, "engine down"));
  ASSERT_TRUE(store_->put_progress(failing.lease, 45));
  lease(TaskKind::kRender);
  ASSERT_TRUE(store_->failed(failing.lease, "it broke"));
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_EQ(job("a").error, "it broke");
  EXPECT_EQ(segments("a")[1].status, SegmentStatus::kFailed);
  EXPECT_EQ(segments("a")[1].error, "it broke");
  EXPECT_EQ(segments("a")[2].status, SegmentStatus::kPending);
  EXPECT_EQ(job("a").progress_pct, 35);

  const Job again = *store_->retry("a");
  EXPECT_EQ(again.status, JobStatus::kQueued);
  EXPECT_EQ(again.run, 2);
  EXPECT_FALSE(again.fallback_used);
  EXPECT_EQ(again.error, "");
  EXPECT_EQ(again.encoder, "");
  EXPECT_FALSE(again.completed_at);
  EXPECT_EQ(again.progress_pct, 23);
  const std::vector<Segment> kept = segments("a");
  EXPECT_EQ(kept[0].status, SegmentStatus::kDone);
  EXPECT_EQ(kept[0].artifact_key, "segments/" + std::to_string(done.lease.epoch));
  EXPECT_EQ(kept[1].status, SegmentStatus::kPending);
  EXPECT_FALSE(kept[1].footage);
  EXPECT_EQ(kept[1].error, "");
  walk_to_done("a");
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(segments("a")[0].artifact_key, kept[0].artifact_key);
}

TEST_P(StoreContract, AHumanSetsARowFailedAndWins) {
  create_prepared("a");
  const LeasedTask leased = lease(TaskKind::kRender);
  const std::int64_t before = job("a").version;
  fail_by_hand("a", "Manual intervention: stuck job");
  EXPECT_TRUE(refused(store_->put_progress(leased.lease, 50)));
  EXPECT_TRUE(refused(store_->segment_done(leased.lease, leased.segments[0], 1)));
  EXPECT_EQ(store_->renew({leased.lease}, kLease)->size(), 1U);
  EXPECT_EQ(store_->lost({leased.lease})->size(), 1U);
  const Job failed = job("a");
  EXPECT_EQ(failed.status, JobStatus::kFailed);
  EXPECT_EQ(failed.error, "Manual intervention: stuck job");
  EXPECT_GT(failed.version, before);
  EXPECT_TRUE(failed.completed_at);
  EXPECT_EQ(segments("a")[0].status, SegmentStatus::kPending);
  advance(kLease * 2);
  EXPECT_TRUE(store_->reap()->empty());
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(StoreContract, AHumanMayQueueAJobAgainOrChangeItsPriority) {
  create("a");
  create("b");
  fail_by_hand("a", "by mistake");
  made_.by_hand("UPDATE jobs SET status = 'QUEUED', error = '' WHERE id = 'a'");
  made_.by_hand("UPDATE jobs SET priority = 9 WHERE id = 'b'");
  EXPECT_EQ(lease().job.id, "b");
  EXPECT_EQ(lease().job.id, "a");
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(StoreContract, AJobDeletedByHandIsNobodysWork) {
  create("a");
  create("b");
  made_.by_hand("DELETE FROM jobs WHERE id = 'a'");
  std::string taken;
  for (int i = 0; i < 2; ++i) {
    if (const auto leased = try_lease(any_hand())) taken += leased->job.id;
  }
  EXPECT_EQ(taken, "b");
}

TEST_P(StoreContract, TheBacklogSaysWhatWaitsAndHowFastItGoes) {
  create_prepared("a", 2);
  create("b", "acme", 5, 4);
  advance(milliseconds(3000));
  render(lease(TaskKind::kRender));
  jobs::WorkerInfo worker;
  worker.worker_id = "w1";
  worker.threads = 3;
  ASSERT_TRUE(store_->upsert_worker(worker));
  const jobs::Backlog backlog = *store_->backlog();
  EXPECT_EQ(backlog.queued_jobs, 1);
  EXPECT_EQ(backlog.open_segments, 5);
  EXPECT_GE(backlog.oldest_queued_seconds, 3);
  EXPECT_LT(backlog.oldest_queued_seconds, 60);
  EXPECT_DOUBLE_EQ(backlog.seconds_per_segment, 1.5);
  EXPECT_EQ(backlog.threads, 3);
  EXPECT_EQ(backlog.gpu_threads, 0);
  worker.worker_id = "w2";
  worker.device_kind = "cuda";
  worker.threads = 16;
  ASSERT_TRUE(store_->upsert_worker(worker));
  EXPECT_EQ(store_->backlog()->threads, 19);
  EXPECT_EQ(store_->backlog()->gpu_threads, 16);
}

TEST_P(StoreContract, VersionsOfManyJobsAreKnownAtOnce) {
  std::vector<std::string> ids{"none"};
  for (int i = 0; i < 70; ++i) {
    ids.push_back("job" + std::to_string(i));
    create(ids.back());
  }
  ASSERT_TRUE(store_->cancel("job69"));
  const auto versions = *store_->versions(ids);
  EXPECT_EQ(versions.size(), 70U);
  EXPECT_EQ(versions.at("job0"), job("job0").version);
  EXPECT_EQ(versions.at("job69"), job("job69").version);
  EXPECT_GT(versions.at("job69"), versions.at("job0"));
  EXPECT_TRUE(store_->versions({})->empty());
}

TEST_P(StoreContract, TheQueueIsKnownByTenant) {
  EXPECT_TRUE(store_->queue_by_tenant(10)->empty());
  create("quiet1", "quiet", 5, 2);
  ASSERT_TRUE(store_->cancel("quiet1"));
  create("small1", "small", 5, 3);
  lease();
  advance(milliseconds(3000));
  for (const char* id : {"flood1", "flood2"}) {
    jobs::NewJob order = sample_job(id, "flood");
    order.weight = 4;
    ASSERT_TRUE(store_->create(order, kPlenty));
  }
  create("small2", "small", 5, 4);
  advance(milliseconds(2000));
  const auto queues = *store_->queue_by_tenant(10);
  ASSERT_EQ(queues.size(), 2U) << "one that waits for nothing is not in it";
  EXPECT_EQ(queues[0].tenant, "flood");
  EXPECT_EQ(queues[0].queued_jobs, 2);
  EXPECT_EQ(queues[0].running_jobs, 0);
  EXPECT_EQ(queues[0].running_tasks, 0);
  EXPECT_EQ(queues[0].weight, 4);
  EXPECT_GE(queues[0].oldest_queued_seconds, 2);
  EXPECT_EQ(queues[1].tenant, "small");
  EXPECT_EQ(queues[1].queued_jobs, 1);
  EXPECT_EQ(queues[1].running_jobs, 1);
  EXPECT_EQ(queues[1].running_tasks, 1);
  EXPECT_EQ(queues[1].open_segments, 3 + 4);
  EXPECT_EQ(queues[1].weight, 1);
  EXPECT_LT(queues[1].oldest_queued_seconds, 3) << "of those that wait";
  const jobs::Backlog backlog = *store_->backlog();
  EXPECT_EQ(backlog.queued_jobs, queues[0].queued_jobs + queues[1].queued_jobs);
  EXPECT_EQ(backlog.open_segments, queues[0].open_segments + queues[1].open_segments);
  EXPECT_EQ(store_->queue_by_tenant(1)->size(), 1U);
}

TEST_P(StoreContract, SegmentsAheadCountsWhatIsServedFirst) {
  create("big1", "flood", 5, 20);
  create("big2", "flood", 5, 20);
  create("mine1", "small", 5, 2);
  create("mine2", "small", 5, 3);
  create("urgent", "other", 9, 4);
  EXPECT_EQ(job("urgent").segments_ahead, 4 + 4) << "its priority is its tenant's business";
  EXPECT_EQ(job("mine1").segments_ahead, 2 + 2);
  EXPECT_EQ(job("mine2").segments_ahead, 2 + 5 + 4);
  EXPECT_EQ(job("big2").segments_ahead, 20 + 5 + 4);
  ASSERT_TRUE(store_->cancel("big2"));
  EXPECT_EQ(job("big2").segments_ahead, 0);
}

TEST_P(StoreContract, AssetsBelongToTheirTenant) {
  const AssetRecord asset{"acme",
                          "assets/acme/1.png",
                          "../../etc/passwd",
                          "mask",
                          12,
                          "1",
                          {"png", "", {3, 4}, true, 1.5, 2, 48'000}};
  ASSERT_TRUE(store_->keep_asset(asset));
  ASSERT_TRUE(store_->keep_asset(asset));
  const AssetRecord kept = *store_->asset("acme", asset.key);
  EXPECT_EQ(kept.client_name, asset.client_name);
  EXPECT_EQ(kept.category, "mask");
  EXPECT_EQ(kept.media.format, "png");
  EXPECT_EQ(kept.size, 12);
  EXPECT_EQ(kept.sha256, "1");
  EXPECT_EQ(kept.media.size.width, 3);
  EXPECT_EQ(kept.media.size.height, 4);
  EXPECT_TRUE(kept.media.has_alpha);
  EXPECT_DOUBLE_EQ(kept.media.duration_seconds, 1.5);
  EXPECT_EQ(kept.media.channels, 2);
  EXPECT_EQ(kept.media.sample_rate, 48'000);
  EXPECT_EQ(store_->asset("other", asset.key).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(store_->asset(std::nullopt, asset.key)->tenant, "acme");
}

TEST_P(StoreContract, TextThatIsNoUtf8IsKeptAsWellAsItGoes) {
  AssetRecord asset;
  asset.tenant = "acme";
  asset.key = "k";
  asset.client_name = std::string("caf\xe9\0.png", 9);
  ASSERT_TRUE(store_->keep_asset(asset));
  EXPECT_EQ(store_->asset("acme", "k")->client_name.substr(0, 3), "caf");
}

TEST_P(StoreContract, TwentyCopiesOfOneKeyAtOnceMakeOneJob) {
  std::vector<std::thread> threads;
  std::vector<std::string> ids(20);
  for (int i = 0; i < 20; ++i) {
    threads.emplace_back([this, &ids, i] {
      NewJob order = sample_job("job" + std::to_string(i));
      order.idempotency_key = "key";
      const auto made = store_->create(order, kPlenty);
      ids[static_cast<std::size_t>(i)] = made ? made->job_id : made.failure().detail;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_EQ(store_->list("acme", {})->jobs.size(), 1U);
  EXPECT_EQ(store_->queued("acme")->all, 1);
  EXPECT_TRUE(store_->probe());
}

TEST_P(StoreContract, TheFirstFallbackIsRemembered) {
  create_prepared("a");
  const LeasedTask leased = lease();
  ASSERT_TRUE(store_->note_fallback(leased.lease, "first"));
  ASSERT_TRUE(store_->note_fallback(leased.lease, "second"));
  EXPECT_TRUE(job("a").fallback_used);
  EXPECT_EQ(job("a").fallback_reason, "first");
}

TEST_P(StoreContract, ACancelledJobTakesNothingMore) {
  create_prepared("a");
  const LeasedTask leased = lease(TaskKind::kRender);
  ASSERT_TRUE(store_->cancel("a"));
  EXPECT_TRUE(refused(store_->segment_done(leased.lease, leased.segments[0], 1)));
  EXPECT_TRUE(refused(store_->put_progress(leased.lease, 90)));
  EXPECT_EQ(store_->lost({leased.lease})->size(), 1U);
  EXPECT_EQ(segments("a")[0].status, SegmentStatus::kPending);
  EXPECT_TRUE(nothing_to_lease());
}

}  // namespace pytoon::testing_support
