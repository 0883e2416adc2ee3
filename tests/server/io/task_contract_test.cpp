// What every database promises to workers (server/jobs/task_store.h): the way of a job from task to
// task, and who may write.
#include "tests/server/io/store_fixture.h"

namespace pytoon::testing_support {
using jobs::Claim;
using jobs::Ending;
using jobs::Hand;
using jobs::Job;
using jobs::JobStatus;
using jobs::Lease;
using jobs::Segment;
using jobs::SegmentStatus;
using jobs::Work;
using std::chrono::milliseconds;

TEST_P(StoreContract, AJobWalksFromTaskToTask) {
  create("a", "acme", 5, 2);
  const Claim first = lease();
  EXPECT_EQ(first.lease.work, Work::kPrepare);
  EXPECT_EQ(first.job.status, JobStatus::kPlanning);
  EXPECT_EQ(first.job.spec.preset_id, "product_hero_clean");
  EXPECT_TRUE(first.job.started_at);
  EXPECT_EQ(first.segments.size(), 2U);
  EXPECT_TRUE(nothing_to_lease());
  prepare(first, false, true);
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  EXPECT_EQ(job("a").encoder, "x264");

  Claim footage = lease(Work::kFootage);
  EXPECT_EQ(footage.lease.segment, 0);
  const Claim other = lease(Work::kFootage);
  EXPECT_EQ(other.lease.segment, 1);
  footage.segments[0].footage = render::Footage::kImages;
  footage.segments[0].footage_key = "clips/1";
  footage.segments[0].footage_sha256 = "abc";
  footage.segments[0].engine_used = "local_comfyui";
  ASSERT_TRUE(store_->footage_decided(footage.lease, footage.segments[0]));
  const Claim sound = lease();
  EXPECT_EQ(sound.lease.work, Work::kSound) << "nothing is rendered before all footage is decided";
  Segment card = other.segments[1];
  card.footage = render::Footage::kCard;
  ASSERT_TRUE(store_->footage_decided(other.lease, card));

  const Claim render_first = lease();
  EXPECT_EQ(render_first.lease.work, Work::kRender);
  EXPECT_EQ(render_first.segments[0].status, SegmentStatus::kRunning);
  EXPECT_EQ(render_first.segments[0].footage, render::Footage::kImages);
  EXPECT_EQ(render_first.segments[0].footage_key, "clips/1");
  EXPECT_EQ(render_first.segments[0].engine_used, "local_comfyui");
  EXPECT_EQ(render_first.segments[1].footage, render::Footage::kCard);
  render(render_first);
  render(lease());
  EXPECT_TRUE(job("a").rendered_at);
  EXPECT_TRUE(nothing_to_lease()) << "the sound is not made yet";
  EXPECT_EQ(job("a").status, JobStatus::kRenderingSegments);
  ASSERT_TRUE(store_->sound_made(sound.lease, "sound/1", "def", R"({"lufs":-14})"));
  EXPECT_EQ(job("a").status, JobStatus::kAssembling);
  EXPECT_EQ(job("a").sound_key, "sound/1");
  EXPECT_EQ(job("a").sound_facts, R"({"lufs":-14})");

  const Claim finish = lease();
  EXPECT_EQ(finish.lease.work, Work::kFinish);
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
  Claim claim = lease();
  jobs::Preparation preparation;
  preparation.encoder = "x264";
  preparation.segments = claim.segments;
  for (Segment& segment : preparation.segments) segment.status = SegmentStatus::kDone;
  ASSERT_TRUE(store_->prepared(claim.lease, preparation));
  EXPECT_EQ(lease().lease.work, Work::kFinish);
}

TEST_P(StoreContract, ALeaseThatRanOutIsReapedAndItsHolderRefused) {
  create_prepared("a");
  const Claim old = lease(Work::kRender, "dead");
  advance(kLease - milliseconds(5000));
  EXPECT_TRUE(store_->reap()->empty());
  advance(milliseconds(6000));
  const auto reaped = *store_->reap();
  ASSERT_EQ(reaped.size(), 1U);
  EXPECT_EQ(reaped[0].job_id, "a");
  EXPECT_EQ(reaped[0].work, Work::kRender);
  EXPECT_EQ(reaped[0].segment, 0);
  EXPECT_EQ(reaped[0].holder, "dead");
  EXPECT_EQ(reaped[0].crashes, 1);
  EXPECT_FALSE(reaped[0].quarantined);
  EXPECT_EQ(segments("a")[0].status, SegmentStatus::kPending);
  const Claim taken = lease(Work::kRender, "alive");
  EXPECT_EQ(taken.lease.segment, 0);
  EXPECT_EQ(taken.failures, 1);
  EXPECT_EQ(taken.job.attempts, 1);
  EXPECT_GT(taken.lease.epoch, old.lease.epoch);

  EXPECT_TRUE(refused(store_->segment_done(old.lease, old.segments[0], 1)));
  EXPECT_TRUE(refused(store_->put_progress(old.lease, 5)));
  EXPECT_TRUE(refused(store_->note_fallback(old.lease, "x")));
  EXPECT_TRUE(refused(store_->failed(old.lease, "x")));
  EXPECT_TRUE(refused(store_->restart(old.lease, {})));
  EXPECT_TRUE(refused(store_->release(old.lease, Ending::kCrashed, kAtOnce)));
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
  const Claim known = lease(Work::kRender, "mine");
  const Claim unheard = lease(Work::kRender, "mine");
  const Claim other = lease(Work::kRender, "other");
  EXPECT_EQ(*store_->hand_back_unknown("mine", {known.lease}), 1);
  EXPECT_EQ(*store_->hand_back_unknown("mine", {known.lease}), 0);
  EXPECT_EQ(*store_->hand_back_unknown("", {}), 0);
  EXPECT_TRUE(store_->lost({known.lease, other.lease})->empty());
  EXPECT_EQ(store_->lost({unheard.lease})->size(), 1U);
  EXPECT_EQ(lease(Work::kRender, "next").lease.segment, unheard.lease.segment);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(job("a").crashes, 0);
}

// What the deadline of a job counts from.
TEST_P(StoreContract, AJobIsTakenOnceUntilItIsQueuedAgain) {
  create("a");
  EXPECT_FALSE(job("a").taken_at);
  Claim claim = lease(Work::kPrepare, "dead");
  EXPECT_EQ(claim.job.taken_at, claim.leased_at);
  advance(kLease + milliseconds(5000));
  ASSERT_TRUE(store_->reap());
  claim = lease(Work::kPrepare, "alive");
  const auto age = [](const Claim& of) { return of.leased_at - *of.job.taken_at; };
  EXPECT_GE(age(claim), kLease + milliseconds(5000)) << "a crash gives no new time";
  prepare(claim);
  advance(milliseconds(1000));
  claim = lease(Work::kRender);
  EXPECT_GE(age(claim), kLease + milliseconds(6000));
  jobs::Restart again;
  again.segments = claim.segments;
  ASSERT_TRUE(store_->restart(claim.lease, again));
  EXPECT_GE(age(lease(Work::kRender)), kLease + milliseconds(6000));

  ASSERT_TRUE(store_->force_fail("a", "by an operator"));
  ASSERT_TRUE(store_->retry("a"));
  EXPECT_FALSE(job("a").taken_at);
  claim = lease(Work::kPrepare);
  EXPECT_EQ(claim.job.taken_at, claim.leased_at) << "who asks for it again gives it time";
  fail_by_hand("a", "stuck");
  made_.by_hand("UPDATE jobs SET status = 'QUEUED' WHERE id = 'a'");
  EXPECT_FALSE(job("a").taken_at);
}

TEST_P(StoreContract, EveryEndOfATaskIsFenced) {
  create("a", "acme", 5, 1);
  Claim old = lease(Work::kPrepare);
  const auto take_again = [&](Work work) {
    ASSERT_TRUE(store_->release(old.lease, Ending::kHandedBack, kAtOnce));
    const Lease stale = old.lease;
    old = lease(work);
    ASSERT_GT(old.lease.epoch, stale.epoch);
    Claim zombie = old;
    zombie.lease = stale;
    EXPECT_TRUE(refused(store_->prepared(stale, {"x264", old.segments, false})) ||
                work != Work::kPrepare);
    EXPECT_TRUE(refused(store_->footage_decided(stale, old.segments[0])) || work != Work::kFootage);
    EXPECT_TRUE(refused(store_->sound_made(stale, "k", "s", "f")) || work != Work::kSound);
    EXPECT_TRUE(refused(store_->finished(stale, "")) || work != Work::kFinish);
  };
  take_again(Work::kPrepare);
  prepare(old, false, true);
  old = lease(Work::kFootage);
  take_again(Work::kFootage);
  old.segments[0].footage = render::Footage::kImages;
  ASSERT_TRUE(store_->footage_decided(old.lease, old.segments[0]));
  old = lease(Work::kSound);
  take_again(Work::kSound);
  ASSERT_TRUE(store_->sound_made(old.lease, "k", "s", "f"));
  render(lease(Work::kRender));
  old = lease(Work::kFinish);
  take_again(Work::kFinish);
  EXPECT_EQ(job("a").status, JobStatus::kAssembling);
  ASSERT_TRUE(store_->finished(old.lease, ""));
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_TRUE(refused(store_->finished(old.lease, "")));
}

TEST_P(StoreContract, ALeaseEndsOnlyItsOwnKindOfWork) {
  create("a");
  const Claim claim = lease(Work::kPrepare);
  EXPECT_EQ(store_->finished(claim.lease, "").failure().kind, FailureKind::kInternal);
  EXPECT_EQ(store_->segment_done(claim.lease, claim.segments[0], 1).failure().kind,
            FailureKind::kInternal);
}

TEST_P(StoreContract, ARenewedLeaseStays) {
  create("a");
  const Claim claim = lease();
  advance(kLease - milliseconds(5000));
  EXPECT_TRUE(store_->renew({claim.lease}, kLease)->empty());
  advance(kLease - milliseconds(5000));
  EXPECT_TRUE(store_->reap()->empty());
  EXPECT_TRUE(store_->lost({claim.lease})->empty());
  EXPECT_TRUE(nothing_to_lease());
  EXPECT_TRUE(store_->renew({}, kLease)->empty());
  EXPECT_TRUE(store_->lost({})->empty());
}

TEST_P(StoreContract, WhatIsHandedBackIsFreeAtOnceAndSpentNoAttempt) {
  create("a");
  ASSERT_TRUE(store_->release(lease().lease, Ending::kHandedBack, kAtOnce));
  const Claim again = lease("other");
  EXPECT_EQ(again.job.attempts, 0);
  EXPECT_EQ(again.failures, 0);
  ASSERT_TRUE(store_->release(again.lease, Ending::kFailed, milliseconds(5000)));
  EXPECT_TRUE(nothing_to_lease());
  advance(milliseconds(5000));
  const Claim third = lease("other");
  EXPECT_EQ(third.job.attempts, 1);
  EXPECT_EQ(third.job.crashes, 0);
  EXPECT_EQ(third.failures, 1);
  ASSERT_TRUE(store_->release(third.lease, Ending::kCrashed, kAtOnce));
  EXPECT_EQ(job("a").crashes, 1);
  EXPECT_EQ(job("a").attempts, 2);
  EXPECT_EQ(lease().failures, 2);
}

TEST_P(StoreContract, AtAStartTheLeasesOfTheDeadAreFree) {
  create("a");
  lease("dead");
  ASSERT_TRUE(store_->expire_leases_except("new"));
  EXPECT_EQ(store_->reap()->size(), 1U);
  const Claim taken = lease("new");
  EXPECT_EQ(taken.job.attempts, 1);
  ASSERT_TRUE(store_->expire_leases_except("new"));
  EXPECT_TRUE(store_->reap()->empty());
  EXPECT_TRUE(nothing_to_lease());
}

TEST_P(StoreContract, OneDeathCountsOnceHoweverManyTasksItHeld) {
  create_prepared("a", 4);
  lease(Work::kRender, "dead");
  lease(Work::kRender, "dead");
  lease(Work::kRender, "dead on the same host");
  advance(kLease / 2);
  lease(Work::kRender, "dead");  // runs out later than the others
  advance(kLease / 2 + milliseconds(1));
  const auto reaped = *store_->reap();
  EXPECT_EQ(reaped.size(), 4U);
  EXPECT_EQ(job("a").crashes, 1);
  EXPECT_EQ(job("a").attempts, 4);
  EXPECT_TRUE(store_->reap()->empty());
}

TEST_P(StoreContract, TheThirdCrashQuarantinesTheSixthFails) {
  create_told("a");
  prepare(lease(Work::kPrepare), true, true);
  render(lease(Work::kRender));
  const Claim held = lease(Work::kRender, "innocent");
  const auto crash = [&] {
    lease(Work::kRender, "dead");
    advance(kLease / 2);
    EXPECT_TRUE(store_->renew({held.lease}, kLease));
    advance(kLease / 2 + milliseconds(1));
    EXPECT_TRUE(store_->renew({held.lease}, kLease));
    return store_->reap()->at(0);
  };
  EXPECT_EQ(crash().crashes, 1);
  EXPECT_EQ(crash().crashes, 2);
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_TRUE(crash().quarantined);
  const Job carded = job("a");
  EXPECT_EQ(carded.status, JobStatus::kRenderingSegments);
  EXPECT_EQ(carded.run, 2);
  EXPECT_EQ(carded.crashes, 3);
  EXPECT_TRUE(carded.fallback_used);
  EXPECT_EQ(carded.fallback_reason, "crashed");
  EXPECT_TRUE(refused(store_->segment_done(held.lease, held.segments[1], 1)));
  for (const Segment& segment : segments("a")) {
    EXPECT_EQ(segment.status, SegmentStatus::kPending);
    EXPECT_EQ(segment.footage, render::Footage::kCard);
    EXPECT_EQ(segment.engine_used, "template");
    EXPECT_EQ(segment.artifact_key, "");
  }
  const auto letters = *store_->dead_letters(10);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].job_id, "a");
  EXPECT_EQ(letters[0].event_id, "");
  EXPECT_NE(letters[0].cause.find("render of segment"), std::string::npos) << letters[0].cause;
  EXPECT_NE(letters[0].cause.find("dead"), std::string::npos);
  const Claim sound = lease(Work::kSound);
  EXPECT_EQ(sound.lease.work, Work::kSound) << "its sound is still to be made";
  ASSERT_TRUE(store_->release(sound.lease, Ending::kHandedBack, kAtOnce));

  EXPECT_EQ(crash().crashes, 4);
  EXPECT_EQ(crash().crashes, 5);
  EXPECT_TRUE(crash().failed);
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_NE(job("a").error.find("crashed 6 times"), std::string::npos) << job("a").error;
  EXPECT_TRUE(nothing_to_lease());
  EXPECT_EQ(store_->dead_letters(10)->size(), 2U);
  EXPECT_EQ(store_->take_events(10, kLease)->at(0).type, "job.failed");
}

TEST_P(StoreContract, AJobThatCrashesWhilePreparedIsQuarantinedToo) {
  create("a", "acme", 5, 2);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(store_->release(lease(Work::kPrepare).lease, Ending::kCrashed, kAtOnce));
  }
  EXPECT_EQ(job("a").status, JobStatus::kPlanning);
  const Claim claim = lease();
  EXPECT_EQ(claim.lease.work, Work::kPrepare);
  EXPECT_EQ(claim.segments[1].footage, render::Footage::kCard);
  prepare(claim);
  EXPECT_EQ(job("a").crashes, 3) << "it stays a quarantined job";
  walk_to_done("a");
  EXPECT_EQ(job("a").fallback_reason, "crashed");
}

TEST_P(StoreContract, WorkThatEndsWellEndsARowOfCrashes) {
  create_prepared("a", 4);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(store_->release(lease().lease, Ending::kCrashed, kAtOnce));
  }
  EXPECT_EQ(job("a").crashes, 2);
  render(lease());
  EXPECT_EQ(job("a").crashes, 0);
  EXPECT_EQ(job("a").attempts, 2);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(store_->release(lease().lease, Ending::kCrashed, kAtOnce));
  }
  EXPECT_FALSE(job("a").fallback_used);
}

TEST_P(StoreContract, ARestartMakesSomeSegmentsAnewAndTakesEverybodysLeases) {
  create_prepared("a", 3, true);
  const Claim sound = lease(Work::kSound);
  ASSERT_TRUE(store_->sound_made(sound.lease, "sound", "sha", "{}"));
  render(lease(Work::kRender));
  const Claim mine = lease(Work::kRender);
  const Claim other = lease(Work::kRender);
  jobs::Restart restart;
  restart.segments = {mine.segments[1]};
  restart.segments[0].status = SegmentStatus::kPending;
  restart.segments[0].footage = render::Footage::kCard;
  ASSERT_TRUE(store_->restart(mine.lease, restart));
  EXPECT_EQ(job("a").run, 2);
  EXPECT_EQ(job("a").sound_key, "sound");
  EXPECT_TRUE(refused(store_->segment_done(other.lease, other.segments[2], 1)));
  EXPECT_EQ(segments("a")[0].status, SegmentStatus::kDone);
  EXPECT_EQ(segments("a")[1].footage, render::Footage::kCard);
  EXPECT_EQ(segments("a")[2].status, SegmentStatus::kPending);
  render(lease(Work::kRender));
  render(lease(Work::kRender));
  const Claim finish = lease(Work::kFinish);
  EXPECT_EQ(job("a").status, JobStatus::kAssembling);

  restart.segments = {finish.segments[0]};
  restart.segments[0].status = SegmentStatus::kPending;
  restart.sound_lost = true;
  restart.encoder = "other264";
  restart.degraded = "x264 broke";
  ASSERT_TRUE(store_->restart(finish.lease, restart));
  const Job anew = job("a");
  EXPECT_EQ(anew.status, JobStatus::kRenderingSegments);
  EXPECT_EQ(anew.run, 3);
  EXPECT_EQ(anew.encoder, "other264");
  EXPECT_EQ(anew.degraded, "x264 broke");
  EXPECT_EQ(anew.sound_key, "");
  EXPECT_FALSE(anew.rendered_at);
  EXPECT_EQ(lease(Work::kSound).lease.work, Work::kSound);
  EXPECT_TRUE(nothing_to_lease()) << "nobody here has other264";
  Hand hand = any_hand();
  hand.encoders = {"other264"};
  EXPECT_EQ(try_lease(hand)->lease.segment, 0);
}

TEST_P(StoreContract, ProgressFollowsTheFramesAndNeverFalls) {
  create_prepared("a", 2);
  const Claim first = lease(Work::kRender);
  const Claim second = lease(Work::kRender);
  std::int64_t version = job("a").version;
  ASSERT_TRUE(store_->put_progress(first.lease, 45));
  EXPECT_EQ(job("a").progress_pct, 23);
  EXPECT_EQ(job("a").version, version + 1);
  ASSERT_TRUE(store_->put_progress(first.lease, 45));
  EXPECT_EQ(job("a").version, version + 1) << "nothing that anybody sees has changed";
  ASSERT_TRUE(store_->put_progress(second.lease, 90));
  EXPECT_EQ(job("a").progress_pct, 71);
  ASSERT_TRUE(store_->release(second.lease, Ending::kHandedBack, kAtOnce));
  ASSERT_TRUE(store_->put_progress(first.lease, 50));
  EXPECT_EQ(job("a").progress_pct, 71);
  ASSERT_TRUE(store_->segment_done(first.lease, first.segments[0], 1));
  render(lease(Work::kRender));
  EXPECT_EQ(job("a").progress_pct, 95);
}

TEST_P(StoreContract, TheFirstFallbackIsRemembered) {
  create_prepared("a");
  const Claim claim = lease();
  ASSERT_TRUE(store_->note_fallback(claim.lease, "first"));
  ASSERT_TRUE(store_->note_fallback(claim.lease, "second"));
  EXPECT_TRUE(job("a").fallback_used);
  EXPECT_EQ(job("a").fallback_reason, "first");
}

TEST_P(StoreContract, ACancelledJobTakesNothingMore) {
  create_prepared("a");
  const Claim claim = lease(Work::kRender);
  ASSERT_TRUE(store_->cancel("a"));
  EXPECT_TRUE(refused(store_->segment_done(claim.lease, claim.segments[0], 1)));
  EXPECT_TRUE(refused(store_->put_progress(claim.lease, 90)));
  EXPECT_EQ(store_->lost({claim.lease})->size(), 1U);
  EXPECT_EQ(segments("a")[0].status, SegmentStatus::kPending);
  EXPECT_TRUE(nothing_to_lease());
}

}  // namespace pytoon::testing_support
