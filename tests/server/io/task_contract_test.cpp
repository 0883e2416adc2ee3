// What every database promises to workers (server/jobs/task_store.h): the way of a job from task to
// task, and who may write.
#include "tests/server/io/store_fixture.h"

namespace pytoon::testing_support {
using jobs::Job;
using jobs::JobStatus;
using jobs::Lease;
using jobs::LeasedTask;
using jobs::LeaseRequest;
using jobs::ReleaseReason;
using jobs::Segment;
using jobs::SegmentStatus;
using jobs::TaskKind;
using std::chrono::milliseconds;

TEST_P(StoreContract, AJobWalksFromTaskToTask) {
  create("a", "acme", 5, 2);
  const LeasedTask first = lease();
  EXPECT_EQ(first.lease.kind, TaskKind::kPrepare);
  EXPECT_EQ(first.job.status, JobStatus::kPlanning);
  EXPECT_EQ(first.job.spec.preset_id, "product_hero_clean");
  EXPECT_TRUE(first.job.started_at);
  EXPECT_EQ(first.segments.size(), 2U);
  EXPECT_TRUE(nothing_to_lease());
  prepare(first, false, true);
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  EXPECT_EQ(job("a").encoder, "x264");

  LeasedTask footage = lease(TaskKind::kFootage);
  EXPECT_EQ(footage.lease.segment, 0);
  const LeasedTask other = lease(TaskKind::kFootage);
  EXPECT_EQ(other.lease.segment, 1);
  footage.segments[0].footage = plan::SourceKind::kImages;
  footage.segments[0].footage_key = "clips/1";
  footage.segments[0].footage_sha256 = "abc";
  footage.segments[0].engine_used = "local_comfyui";
  ASSERT_TRUE(store_->footage_decided(footage.lease, footage.segments[0]));
  const LeasedTask audio = lease();
  EXPECT_EQ(audio.lease.kind, TaskKind::kAudio)
      << "nothing is rendered before all footage is decided";
  Segment card = other.segments[1];
  card.footage = plan::SourceKind::kCard;
  ASSERT_TRUE(store_->footage_decided(other.lease, card));

  const LeasedTask render_first = lease();
  EXPECT_EQ(render_first.lease.kind, TaskKind::kRender);
  EXPECT_EQ(render_first.segments[0].status, SegmentStatus::kRunning);
  EXPECT_EQ(render_first.segments[0].footage, plan::SourceKind::kImages);
  EXPECT_EQ(render_first.segments[0].footage_key, "clips/1");
  EXPECT_EQ(render_first.segments[0].engine_used, "local_comfyui");
  EXPECT_EQ(render_first.segments[1].footage, plan::SourceKind::kCard);
  render(render_first);
  render(lease());
  EXPECT_TRUE(job("a").rendered_at);
  EXPECT_TRUE(nothing_to_lease()) << "the audio is not made yet";
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  ASSERT_TRUE(store_->audio_made(audio.lease, "audio/1", "def", R"({"lufs":-14})"));
  EXPECT_EQ(job("a").status, JobStatus::kAssembling);
  EXPECT_EQ(job("a").audio_key, "audio/1");
  EXPECT_EQ(job("a").audio_facts, R"({"lufs":-14})");

  const LeasedTask finish = lease();
  EXPECT_EQ(finish.lease.kind, TaskKind::kFinish);
  EXPECT_EQ(finish.job.progress_pct, 95);
  ASSERT_TRUE(store_->finished(finish.lease, ""));
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").progress_pct, 100);
  EXPECT_TRUE(job("a").completed_at);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(StoreContract, APreparedJobWhoseSegmentsAreKeptIsOnlyFinished) {
  create("a", "acme", 5, 2);
  LeasedTask leased = lease();
  jobs::PrepareResult preparation;
  preparation.encoder = "x264";
  preparation.segments = leased.segments;
  for (Segment& segment : preparation.segments) segment.status = SegmentStatus::kDone;
  ASSERT_TRUE(store_->prepared(leased.lease, preparation));
  EXPECT_EQ(lease().lease.kind, TaskKind::kFinish);
}

TEST_P(StoreContract, ALeaseThatRanOutIsReapedAndItsHolderRefused) {
  create_prepared("a");
  const LeasedTask old = lease(TaskKind::kRender, "dead");
  advance(kLease - milliseconds(5000));
  EXPECT_TRUE(store_->reap()->empty());
  advance(milliseconds(6000));
  const auto reaped = *store_->reap();
  ASSERT_EQ(reaped.size(), 1U);
  EXPECT_EQ(reaped[0].job_id, "a");
  EXPECT_EQ(reaped[0].kind, TaskKind::kRender);
  EXPECT_EQ(reaped[0].segment, 0);
  EXPECT_EQ(reaped[0].worker_id, "dead");
  EXPECT_EQ(reaped[0].crashes, 1);
  EXPECT_FALSE(reaped[0].quarantined);
  EXPECT_EQ(segments("a")[0].status, SegmentStatus::kPending);
  const LeasedTask taken = lease(TaskKind::kRender, "alive");
  EXPECT_EQ(taken.lease.segment, 0);
  EXPECT_EQ(taken.failures, 0) << "that its worker died is no fault of the task";
  EXPECT_EQ(taken.job.attempts, 1);
  EXPECT_GT(taken.lease.epoch, old.lease.epoch);

  EXPECT_TRUE(refused(store_->segment_done(old.lease, old.segments[0], 1)));
  EXPECT_TRUE(refused(store_->put_progress(old.lease, 5)));
  EXPECT_TRUE(refused(store_->put_waiting(old.lease, "x")));
  EXPECT_TRUE(refused(store_->note_fallback(old.lease, "x")));
  EXPECT_TRUE(refused(store_->failed(old.lease, "x")));
  EXPECT_TRUE(refused(store_->restart(old.lease, {})));
  EXPECT_TRUE(refused(store_->release(old.lease, ReleaseReason::kCrashed, kAtOnce)));
  EXPECT_EQ(store_->renew({old.lease, taken.lease}, kLease)->size(), 1U);
  EXPECT_EQ(store_->lost({old.lease, taken.lease})->at(0).epoch, old.lease.epoch);
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  EXPECT_EQ(job("a").crashes, 1);
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_TRUE(store_->segment_done(taken.lease, taken.segments[0], 1));
  EXPECT_TRUE(refused(store_->segment_done(taken.lease, taken.segments[0], 1))) << "twice";
}

TEST_P(StoreContract, WhatAHolderDoesNotKnowItHoldsIsHandedBack) {
  create_prepared("a");
  const LeasedTask known = lease(TaskKind::kRender, "mine");
  const LeasedTask unheard = lease(TaskKind::kRender, "mine");
  const LeasedTask other = lease(TaskKind::kRender, "other");
  EXPECT_EQ(*store_->hand_back_unknown("mine", {known.lease}), 1);
  EXPECT_EQ(*store_->hand_back_unknown("mine", {known.lease}), 0);
  EXPECT_EQ(*store_->hand_back_unknown("", {}), 0);
  EXPECT_TRUE(store_->lost({known.lease, other.lease})->empty());
  EXPECT_EQ(store_->lost({unheard.lease})->size(), 1U);
  EXPECT_EQ(lease(TaskKind::kRender, "next").lease.segment, unheard.lease.segment);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(job("a").crashes, 0);
}

// What the deadline of a job counts from.
TEST_P(StoreContract, AJobIsTakenOnceUntilItIsQueuedAgain) {
  create("a");
  EXPECT_FALSE(job("a").taken_at);
  LeasedTask leased = lease(TaskKind::kPrepare, "dead");
  EXPECT_EQ(leased.job.taken_at, leased.leased_at);
  advance(kLease + milliseconds(5000));
  ASSERT_TRUE(store_->reap());
  leased = lease(TaskKind::kPrepare, "alive");
  const auto age = [](const LeasedTask& of) { return of.leased_at - *of.job.taken_at; };
  EXPECT_GE(age(leased), kLease + milliseconds(5000)) << "a crash gives no new time";
  prepare(leased);
  advance(milliseconds(1000));
  leased = lease(TaskKind::kRender);
  EXPECT_GE(age(leased), kLease + milliseconds(6000));
  jobs::Replan again;
  again.segments = leased.segments;
  ASSERT_TRUE(store_->restart(leased.lease, again));
  EXPECT_GE(age(lease(TaskKind::kRender)), kLease + milliseconds(6000));

  ASSERT_TRUE(store_->force_fail("a", "by an operator"));
  ASSERT_TRUE(store_->retry("a"));
  EXPECT_FALSE(job("a").taken_at);
  leased = lease(TaskKind::kPrepare);
  EXPECT_EQ(leased.job.taken_at, leased.leased_at) << "who asks for it again gives it time";
  fail_by_hand("a", "stuck");
  made_.by_hand("UPDATE jobs SET status = 'QUEUED' WHERE id = 'a'");
  EXPECT_FALSE(job("a").taken_at);
}

TEST_P(StoreContract, EveryEndOfATaskIsFenced) {
  create("a", "acme", 5, 1);
  LeasedTask old = lease(TaskKind::kPrepare);
  const auto take_again = [&](TaskKind kind) {
    ASSERT_TRUE(store_->release(old.lease, ReleaseReason::kHandedBack, kAtOnce));
    const Lease stale = old.lease;
    old = lease(kind);
    ASSERT_GT(old.lease.epoch, stale.epoch);
    LeasedTask zombie = old;
    zombie.lease = stale;
    EXPECT_TRUE(refused(store_->prepared(stale, {"x264", old.segments, false})) ||
                kind != TaskKind::kPrepare);
    EXPECT_TRUE(refused(store_->footage_decided(stale, old.segments[0])) ||
                kind != TaskKind::kFootage);
    EXPECT_TRUE(refused(store_->audio_made(stale, "k", "s", "f")) || kind != TaskKind::kAudio);
    EXPECT_TRUE(refused(store_->finished(stale, "")) || kind != TaskKind::kFinish);
  };
  take_again(TaskKind::kPrepare);
  prepare(old, false, true);
  old = lease(TaskKind::kFootage);
  take_again(TaskKind::kFootage);
  old.segments[0].footage = plan::SourceKind::kImages;
  ASSERT_TRUE(store_->footage_decided(old.lease, old.segments[0]));
  old = lease(TaskKind::kAudio);
  take_again(TaskKind::kAudio);
  ASSERT_TRUE(store_->audio_made(old.lease, "k", "s", "f"));
  render(lease(TaskKind::kRender));
  old = lease(TaskKind::kFinish);
  take_again(TaskKind::kFinish);
  EXPECT_EQ(job("a").status, JobStatus::kAssembling);
  ASSERT_TRUE(store_->finished(old.lease, ""));
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_TRUE(refused(store_->finished(old.lease, "")));
}

TEST_P(StoreContract, ALeaseEndsOnlyItsOwnKindOfWork) {
  create("a");
  const LeasedTask leased = lease(TaskKind::kPrepare);
  EXPECT_EQ(store_->finished(leased.lease, "").failure().kind, FailureKind::kInternal);
  EXPECT_EQ(store_->segment_done(leased.lease, leased.segments[0], 1).failure().kind,
            FailureKind::kInternal);
}

TEST_P(StoreContract, AFinishedSegmentIsFoundByItsContentWithinItsTenant) {
  create_prepared("a", 2);
  jobs::LeasedTask leased = lease(TaskKind::kRender);
  jobs::Segment done = leased.segments.at(static_cast<std::size_t>(leased.lease.segment));
  done.content_key = "k1";
  done.artifact_key = "segments/k1.1.mp4";
  done.artifact_sha256 = "s1";
  EXPECT_FALSE(*store_->finished_segment("acme", "k1"));
  ASSERT_TRUE(store_->segment_done(leased.lease, done, 1.5));
  const auto found = *store_->finished_segment("acme", "k1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->artifact_key, "segments/k1.1.mp4");
  EXPECT_EQ(found->artifact_sha256, "s1");
  EXPECT_FALSE(*store_->finished_segment("globex", "k1"));
  EXPECT_FALSE(*store_->finished_segment("acme", "k2"));
  ASSERT_TRUE(store_->cancel("a"));
  EXPECT_TRUE(*store_->finished_segment("acme", "k1")) << "its files are there";
  advance(std::chrono::hours(2));
  ASSERT_EQ(*store_->expire_jobs(jobs::JobStatus::kCancelled, std::chrono::hours(1), 10), 1);
  EXPECT_FALSE(*store_->finished_segment("acme", "k1"));
}

TEST_P(StoreContract, SegmentsThatWereTakenAreCountedAndSayNothingOfTheSpeed) {
  create_prepared("a", 2);
  jobs::LeasedTask leased = lease(TaskKind::kRender);
  jobs::Segment taken = leased.segments.at(static_cast<std::size_t>(leased.lease.segment));
  taken.content_key = "k1";
  taken.artifact_key = "segments/k1.1.mp4";
  taken.reused = true;
  ASSERT_TRUE(store_->segment_done(leased.lease, taken, 0));
  EXPECT_EQ(job("a").segments_reused, 1);
  EXPECT_EQ(store_->backlog()->seconds_per_segment, 0);
  render(lease(TaskKind::kRender));
  EXPECT_EQ(job("a").segments_reused, 1);
  EXPECT_DOUBLE_EQ(store_->backlog()->seconds_per_segment, 1.5);
  int reused = 0;
  for (const jobs::Segment& segment : segments("a")) reused += segment.reused;
  EXPECT_EQ(reused, 1);
}

TEST_P(StoreContract, OneOfManyReapsAtATime) {
  EXPECT_TRUE(*store_->begin_reaping(std::chrono::milliseconds(2000)));
  EXPECT_FALSE(*store_->begin_reaping(std::chrono::milliseconds(2000)));
  advance(std::chrono::milliseconds(2100));
  EXPECT_TRUE(*store_->begin_reaping(std::chrono::milliseconds(2000)));
}

TEST_P(StoreContract, ManyLeasesAreRenewedTogetherAndTheLostOnesNamed) {
  create_prepared("a", 4);
  std::vector<jobs::Lease> leases;
  for (int i = 0; i < 4; ++i) leases.push_back(lease(TaskKind::kRender).lease);
  EXPECT_TRUE(store_->lost(leases)->empty());
  ASSERT_TRUE(store_->release(leases[2], jobs::ReleaseReason::kHandedBack, kAtOnce));
  jobs::Lease stranger = leases[0];
  stranger.epoch += 1'000'000;
  leases.push_back(stranger);
  for (const auto& gone : {*store_->lost(leases), *store_->renew(leases, kLease)}) {
    ASSERT_EQ(gone.size(), 2U);
    EXPECT_EQ(gone[0].epoch, leases[2].epoch);
    EXPECT_EQ(gone[1].epoch, stranger.epoch);
  }
}

TEST_P(StoreContract, ARenewedLeaseStays) {
  create("a");
  const LeasedTask leased = lease();
  advance(kLease - milliseconds(5000));
  EXPECT_TRUE(store_->renew({leased.lease}, kLease)->empty());
  advance(kLease - milliseconds(5000));
  EXPECT_TRUE(store_->reap()->empty());
  EXPECT_TRUE(store_->lost({leased.lease})->empty());
  EXPECT_TRUE(nothing_to_lease());
  EXPECT_TRUE(store_->renew({}, kLease)->empty());
  EXPECT_TRUE(store_->lost({})->empty());
}

TEST_P(StoreContract, WhatIsHandedBackIsFreeAtOnceAndSpentNoAttempt) {
  create("a");
  ASSERT_TRUE(store_->release(lease().lease, ReleaseReason::kHandedBack, kAtOnce));
  const LeasedTask again = lease("other");
  EXPECT_EQ(again.job.attempts, 0);
  EXPECT_EQ(again.failures, 0);
  ASSERT_TRUE(store_->release(again.lease, ReleaseReason::kFailed, milliseconds(5000)));
  EXPECT_TRUE(nothing_to_lease());
  advance(milliseconds(5000));
  const LeasedTask third = lease("other");
  EXPECT_EQ(third.job.attempts, 1);
  EXPECT_EQ(third.job.crashes, 0);
  EXPECT_EQ(third.failures, 1);
  ASSERT_TRUE(store_->release(third.lease, ReleaseReason::kCrashed, kAtOnce));
  EXPECT_EQ(job("a").crashes, 1);
  EXPECT_EQ(job("a").attempts, 2);
  EXPECT_EQ(lease().failures, 2);
}

TEST_P(StoreContract, AtAStartTheLeasesOfTheDeadAreFree) {
  create("a");
  lease("dead");
  ASSERT_TRUE(store_->expire_leases_except("new"));
  EXPECT_EQ(store_->reap()->size(), 1U);
  const LeasedTask taken = lease("new");
  EXPECT_EQ(taken.job.attempts, 1);
  ASSERT_TRUE(store_->expire_leases_except("new"));
  EXPECT_TRUE(store_->reap()->empty());
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(StoreContract, ARestartMakesSomeSegmentsAnewAndTakesEverybodysLeases) {
  create_prepared("a", 3, true);
  const LeasedTask audio = lease(TaskKind::kAudio);
  ASSERT_TRUE(store_->audio_made(audio.lease, "audio", "sha", "{}"));
  render(lease(TaskKind::kRender));
  const LeasedTask mine = lease(TaskKind::kRender);
  const LeasedTask other = lease(TaskKind::kRender);
  jobs::Replan restart;
  restart.segments = {mine.segments[1]};
  restart.segments[0].status = SegmentStatus::kPending;
  restart.segments[0].footage = plan::SourceKind::kCard;
  ASSERT_TRUE(store_->restart(mine.lease, restart));
  EXPECT_EQ(job("a").run, 2);
  EXPECT_EQ(job("a").audio_key, "audio");
  EXPECT_TRUE(refused(store_->segment_done(other.lease, other.segments[2], 1)));
  EXPECT_EQ(segments("a")[0].status, SegmentStatus::kDone);
  EXPECT_EQ(segments("a")[1].footage, plan::SourceKind::kCard);
  EXPECT_EQ(segments("a")[2].status, SegmentStatus::kPending);
  render(lease(TaskKind::kRender));
  render(lease(TaskKind::kRender));
  const LeasedTask finish = lease(TaskKind::kFinish);
  EXPECT_EQ(job("a").status, JobStatus::kAssembling);

  restart.segments = {finish.segments[0]};
  restart.segments[0].status = SegmentStatus::kPending;
  restart.audio_lost = true;
  restart.encoder = "other264";
  restart.degraded = "x264 broke";
  ASSERT_TRUE(store_->restart(finish.lease, restart));
  const Job anew = job("a");
  EXPECT_EQ(anew.status, JobStatus::kRenderingSegments);
  EXPECT_EQ(anew.run, 3);
  EXPECT_EQ(anew.encoder, "other264");
  EXPECT_EQ(anew.degraded, "x264 broke");
  EXPECT_EQ(anew.audio_key, "");
  EXPECT_FALSE(anew.rendered_at);
  EXPECT_EQ(lease(TaskKind::kAudio).lease.kind, TaskKind::kAudio);
  EXPECT_TRUE(nothing_to_lease()) << "nobody here has other264";
  LeaseRequest request = any_hand();
  request.encoders = {"other264"};
  EXPECT_EQ(try_lease(request)->lease.segment, 0);
}

TEST_P(StoreContract, ProgressFollowsTheFramesAndNeverFalls) {
  create_prepared("a", 2);
  const LeasedTask first = lease(TaskKind::kRender);
  const LeasedTask second = lease(TaskKind::kRender);
  std::int64_t version = job("a").version;
  ASSERT_TRUE(store_->put_progress(first.lease, 45));
  EXPECT_EQ(job("a").progress_pct, 23);
  EXPECT_EQ(job("a").version, version + 1);
  ASSERT_TRUE(store_->put_progress(first.lease, 45));
  EXPECT_EQ(job("a").version, version + 1) << "nothing that anybody sees has changed";
  ASSERT_TRUE(store_->put_progress(second.lease, 90));
  EXPECT_EQ(job("a").progress_pct, 71);
  ASSERT_TRUE(store_->release(second.lease, ReleaseReason::kHandedBack, kAtOnce));
  ASSERT_TRUE(store_->put_progress(first.lease, 50));
  EXPECT_EQ(job("a").progress_pct, 71);
  ASSERT_TRUE(store_->segment_done(first.lease, first.segments[0], 1));
  render(lease(TaskKind::kRender));
  EXPECT_EQ(job("a").progress_pct, 95);
}

TEST_P(StoreContract, AJobShowsWhatItsMostBlockedTaskWaitsFor) {
  create_prepared("a", 2);
  const LeasedTask first = lease(TaskKind::kRender);
  const LeasedTask second = lease(TaskKind::kRender);
  EXPECT_EQ(job("a").waiting_for, "");
  const std::int64_t version = job("a").version;
  ASSERT_TRUE(store_->put_waiting(second.lease, "needs 512 MiB on GPU-A"));
  EXPECT_EQ(job("a").waiting_for, "needs 512 MiB on GPU-A");
  EXPECT_EQ(job("a").version, version + 1);
  advance(milliseconds(10));
  ASSERT_TRUE(store_->put_waiting(first.lease, "needs 300 MiB on GPU-A"));
  advance(milliseconds(10));
  ASSERT_TRUE(store_->put_waiting(second.lease, "needs 512 MiB on GPU-B"));
  EXPECT_EQ(job("a").waiting_for, "needs 512 MiB on GPU-B") << "its wait began first";
  EXPECT_EQ(store_->list("acme", {})->jobs.at(0).waiting_for, "needs 512 MiB on GPU-B");
  const std::int64_t told = job("a").version;
  ASSERT_TRUE(store_->put_waiting(second.lease, "needs 512 MiB on GPU-B"));
  EXPECT_EQ(job("a").version, told) << "nothing that anybody sees has changed";
  ASSERT_TRUE(store_->put_waiting(second.lease, ""));
  EXPECT_EQ(job("a").waiting_for, "needs 300 MiB on GPU-A");
  render(first);
  EXPECT_EQ(job("a").waiting_for, "") << "it ended with its task";
}

TEST_P(StoreContract, ATaskThatIsHandedBackStillWaitsAndOneThatFailedDoesNot) {
  create_prepared("a", 1);
  const LeasedTask waiting = lease(TaskKind::kRender);
  ASSERT_TRUE(store_->put_waiting(waiting.lease, "memory"));
  ASSERT_TRUE(store_->release(waiting.lease, ReleaseReason::kHandedBack, kAtOnce));
  EXPECT_EQ(job("a").waiting_for, "memory");
  EXPECT_TRUE(refused(store_->put_waiting(waiting.lease, "more memory")));
  const LeasedTask again = lease(TaskKind::kRender);
  EXPECT_EQ(job("a").waiting_for, "") << "it is tried now";
  ASSERT_TRUE(store_->put_waiting(again.lease, "memory"));
  ASSERT_TRUE(store_->release(again.lease, ReleaseReason::kFailed, kAtOnce));
  EXPECT_EQ(job("a").waiting_for, "a worker: none is running");
  const LeasedTask dead = lease(TaskKind::kRender, "dead");
  ASSERT_TRUE(store_->put_waiting(dead.lease, "memory"));
  advance(kLease + milliseconds(1000));
  ASSERT_EQ(store_->reap()->size(), 1U);
  EXPECT_EQ(job("a").waiting_for, "a worker: none is running") << "its own words are gone";
}

TEST_P(StoreContract, AJobThatNobodyWorksOnSaysWhatItLacks) {
  create("a", "acme", 5, 1);
  create("b", "acme", 5, 1);
  EXPECT_EQ(job("a").waiting_for, "a worker: none is running");
  jobs::WorkerInfo worker;
  worker.worker_id = "w";
  worker.encoders = {"other264"};
  worker.pools = {{"render", 1, 0, 0, 0}};
  ASSERT_TRUE(store_->upsert_worker(worker));
  EXPECT_EQ(job("a").waiting_for, "");
  EXPECT_EQ(job("b").waiting_for, "its turn: 1 job is ahead of it");
  EXPECT_EQ(store_->list("acme", {})->jobs.at(0).waiting_for, "its turn: 1 job is ahead of it");
  const LeasedTask first = lease(TaskKind::kPrepare);
  ASSERT_EQ(first.job.id, "a");
  prepare(first);
  EXPECT_EQ(job("a").waiting_for, "the encoder x264: no live worker has it");
  const LeasedTask held = lease(TaskKind::kRender);
  EXPECT_EQ(job("a").waiting_for, "") << "somebody works on it";
  ASSERT_TRUE(store_->put_waiting(held.lease, "memory"));
  EXPECT_EQ(job("a").waiting_for, "memory");
  ASSERT_TRUE(store_->cancel("a"));
  EXPECT_EQ(job("a").waiting_for, "");
}

TEST_P(StoreContract, TheStoreKeepsPromisesOfGpuMemory) {
  jobs::admission::PromiseLedger& promises = store_->promises();
  jobs::admission::Sample sample;
  sample.at = promises.now().value();
  sample.total = sample.free = 8 * jobs::admission::kGiB;
  ASSERT_TRUE(promises.publish("GPU-A", sample));
  jobs::admission::Wish wish;
  wish.gpu = "GPU-A";
  wish.task = "a/render/0";
  wish.bytes = jobs::admission::kGiB;
  const auto granted = promises.promise(wish);
  ASSERT_TRUE(granted);
  ASSERT_TRUE(std::holds_alternative<jobs::admission::Promise>(*granted));
  const auto states = promises.states();
  ASSERT_EQ(states->size(), 1U);
  EXPECT_EQ(states->at(0).promises.size(), 1U);
}

}  // namespace pytoon::testing_support
