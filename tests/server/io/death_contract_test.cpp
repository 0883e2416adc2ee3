// What every database promises about workers that die: whose fault it is, and what the job becomes.
#include "tests/server/io/store_fixture.h"

namespace pytoon::testing_support {
using jobs::Job;
using jobs::JobStatus;
using jobs::LeasedTask;
using jobs::ReleaseReason;
using jobs::Segment;
using jobs::SegmentStatus;
using jobs::TaskKind;
using std::chrono::milliseconds;

namespace {

jobs::WorkerInfo worker_named(const std::string& worker_id) {
  jobs::WorkerInfo info;
  info.worker_id = worker_id;
  return info;
}

}  // namespace

TEST_P(StoreContract, OneDeathCountsOnceHoweverManyTasksItHeld) {
  create_prepared("a", 4);
  lease(TaskKind::kRender, "dead");
  lease(TaskKind::kRender, "dead");
  lease(TaskKind::kRender, "dead on the same host");
  advance(kLease / 2);
  lease(TaskKind::kRender, "dead");  // runs out later than the others
  advance(kLease / 2 + milliseconds(1));
  const auto reaped = *store_->reap();
  EXPECT_EQ(reaped.size(), 4U);
  EXPECT_EQ(job("a").crashes, 1);
  EXPECT_EQ(job("a").attempts, 4);
  EXPECT_TRUE(store_->reap()->empty());
}

// A signal, the power, a neighbour: whatever kills workers again and again.
TEST_P(StoreContract, DeathsOfWorkersThatDidOtherThingsTooBlameNobody) {
  create_prepared("a");
  create_prepared("b", 1);
  for (int death = 0; death < 12; ++death) {
    for (int held = 0; held < 4; ++held) lease(TaskKind::kRender, "dead");
    advance(kLease + milliseconds(1));
    const auto reaped = store_->reap();
    ASSERT_TRUE(reaped);
    for (const auto& one : *reaped) {
      EXPECT_FALSE(one.quarantined || one.failed) << one.job_id << " after " << death;
    }
  }
  for (const char* id : {"a", "b"}) {
    EXPECT_EQ(job(id).crashes, 2) << id;
    walk_to_done(id);
    EXPECT_FALSE(job(id).fallback_used) << id;
  }
}

TEST_P(StoreContract, ATaskIsBlamedForThreeDeathsAloneAndNotForThoseOfAnother) {
  create_prepared("a", 2);
  std::vector<jobs::Lease> living;
  const auto die = [&](bool alone) {
    const LeasedTask leased = lease(TaskKind::kRender, "dead");
    if (alone) {
      EXPECT_TRUE(store_->put_alone(leased.lease));
    }
    advance(kLease / 2);
    EXPECT_TRUE(store_->renew(living, kLease));
    advance(kLease / 2 + milliseconds(1));
    EXPECT_EQ(store_->reap()->size(), 1U);
    return leased.lease.segment;
  };
  die(false);
  die(false);
  EXPECT_EQ(job("a").crashes, 2);
  const int first = die(true);
  // Its neighbour is drawn next: that it dies alone as well is no second death of the first.
  LeasedTask held = lease(TaskKind::kRender, "holds the first one back");
  ASSERT_EQ(held.lease.segment, first);
  living = {held.lease};
  EXPECT_NE(die(true), first);
  EXPECT_EQ(job("a").crashes, 2);
  EXPECT_FALSE(job("a").fallback_used);
  ASSERT_TRUE(store_->release(held.lease, ReleaseReason::kHandedBack, kAtOnce));
  living.clear();
  // Handed back and leased again it is not alone until that is said.
  EXPECT_EQ(die(false), first);
  EXPECT_EQ(job("a").crashes, 2);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(die(true), first);
  EXPECT_EQ(job("a").crashes, 2);
  EXPECT_EQ(die(true), first);
  EXPECT_EQ(job("a").crashes, 3);
  EXPECT_EQ(job("a").fallback_reason, "crashed");
}

// Whatever kills workers at random also meets one that is alone.
TEST_P(StoreContract, WhereWorkersDieOfOtherWorkTooASuspectIsGivenTheBenefitOfTheDoubt) {
  create_prepared("a", 1);
  create("b");
  const auto die = [&](TaskKind kind, bool alone) {
    const LeasedTask leased = lease(kind, "dead");
    if (alone) {
      EXPECT_TRUE(store_->put_alone(leased.lease));
    }
    advance(kLease + milliseconds(1));
    EXPECT_EQ(store_->reap()->size(), 1U);
  };
  for (int i = 0; i < 2; ++i) die(TaskKind::kRender, false);
  for (int i = 0; i < 4; ++i) {
    for (int death = 0; death < 2; ++death) die(TaskKind::kRender, true);
    EXPECT_EQ(job("a").crashes, 2) << i;
    die(TaskKind::kPrepare, false);  // of b
  }
  for (int death = 0; death < 3; ++death) die(TaskKind::kRender, true);
  EXPECT_EQ(job("a").fallback_reason, "crashed") << "three in a row";
}

// Suspended machines, debuggers, a host without a core to spare.
TEST_P(StoreContract, AWorkerThatWasOnlyFrozenTakesItsDeathBack) {
  create_prepared("a", 1);
  for (int freeze = 0; freeze < 5; ++freeze) {
    const std::string name = "frozen " + std::to_string(freeze);
    EXPECT_TRUE(store_->put_alone(lease(TaskKind::kRender, name).lease));
    advance(kLease + milliseconds(1));
    EXPECT_EQ(store_->reap()->at(0).crashes, 1);
    const Status alive = freeze % 2 == 0 ? store_->upsert_worker(worker_named(name))
                                         : store_->remove_worker(name);  // it was told to go
    ASSERT_TRUE(alive) << alive.failure().detail;
    EXPECT_EQ(job("a").crashes, 0) << freeze;
  }
  walk_to_done("a");
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_EQ(job("a").attempts, 5);
}

TEST_P(StoreContract, ADeathTakenBackIsNoneOfTheThreeThatBlame) {
  create_prepared("a", 1);
  const auto die = [&](const std::string& name) {
    EXPECT_TRUE(store_->put_alone(lease(TaskKind::kRender, name).lease));
    advance(kLease + milliseconds(1));
    EXPECT_EQ(store_->reap()->size(), 1U);
  };
  die("first");
  die("frozen");
  die("third");
  EXPECT_EQ(job("a").fallback_reason, "crashed") << "that one of them would return nobody knew";
  ASSERT_TRUE(store_->upsert_worker(worker_named("frozen")));
  EXPECT_EQ(job("a").crashes, 3) << "what was decided stays";
  walk_to_done("a");

  create_prepared("b", 1);
  die("first");
  die("frozen");
  ASSERT_TRUE(store_->upsert_worker(worker_named("frozen")));
  EXPECT_EQ(job("b").crashes, 1);
  die("second");
  EXPECT_FALSE(job("b").fallback_used);
  die("third");
  EXPECT_EQ(job("b").fallback_reason, "crashed") << "three that never came back";
}

TEST_P(StoreContract, ACrashIsTakenBackWhenAllWhoDiedOfItLive) {
  create_prepared("a", 2);
  lease(TaskKind::kRender, "one");
  lease(TaskKind::kRender, "two");
  advance(kLease + milliseconds(1));
  EXPECT_EQ(store_->reap()->size(), 2U);
  ASSERT_TRUE(store_->upsert_worker(worker_named("one")));
  ASSERT_TRUE(store_->upsert_worker(worker_named("somebody else")));
  EXPECT_EQ(job("a").crashes, 1);
  ASSERT_TRUE(store_->upsert_worker(worker_named("two")));
  EXPECT_EQ(job("a").crashes, 0);
  ASSERT_TRUE(store_->upsert_worker(worker_named("two")));
  EXPECT_EQ(job("a").crashes, 0) << "once";
}

TEST_P(StoreContract, ACrashThatASuccessForgotIsNotTakenBackOnceMore) {
  create_prepared("a", 3);
  lease(TaskKind::kRender, "frozen");
  const LeasedTask other = lease(TaskKind::kRender, "other");
  advance(kLease + milliseconds(1));
  ASSERT_TRUE(store_->renew({other.lease}, kLease));
  EXPECT_EQ(store_->reap()->size(), 1U);
  render(other);
  EXPECT_EQ(job("a").crashes, 0);
  lease(TaskKind::kRender, "dead");
  advance(kLease + milliseconds(1));
  EXPECT_EQ(store_->reap()->size(), 1U);
  ASSERT_TRUE(store_->upsert_worker(worker_named("frozen")));
  EXPECT_EQ(job("a").crashes, 1) << "that of the dead one";
}

TEST_P(StoreContract, TheThirdCrashQuarantinesTheSixthFails) {
  create_told("a");
  prepare(lease(TaskKind::kPrepare), true, true);
  render(lease(TaskKind::kRender));
  const LeasedTask held = lease(TaskKind::kRender, "innocent");
  const auto crash = [&] {
    EXPECT_TRUE(store_->put_alone(lease(TaskKind::kRender, "dead").lease));
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
    EXPECT_EQ(segment.footage, plan::SourceKind::kCard);
    EXPECT_EQ(segment.engine_used, "template");
    EXPECT_EQ(segment.artifact_key, "");
  }
  const auto letters = *store_->dead_letters(10);
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].job_id, "a");
  EXPECT_EQ(letters[0].event_id, "");
  EXPECT_NE(letters[0].cause.find("render of segment"), std::string::npos) << letters[0].cause;
  EXPECT_NE(letters[0].cause.find("dead"), std::string::npos);
  const LeasedTask audio = lease(TaskKind::kAudio);
  EXPECT_EQ(audio.lease.kind, TaskKind::kAudio) << "its audio is still to be made";
  ASSERT_TRUE(store_->release(audio.lease, ReleaseReason::kHandedBack, kAtOnce));

  EXPECT_EQ(crash().crashes, 4);
  EXPECT_EQ(crash().crashes, 5);
  EXPECT_TRUE(crash().failed);
  EXPECT_EQ(job("a").status, JobStatus::kFailed);
  EXPECT_NE(job("a").error.find("crashed 6 times"), std::string::npos) << job("a").error;
  EXPECT_TRUE(nothing_to_lease());
  EXPECT_EQ(store_->dead_letters(10)->size(), 2U);
  EXPECT_EQ(store_->take_events({10, kLease, {}})->at(0).type, "job.failed");
}

TEST_P(StoreContract, AJobThatCrashesWhilePreparedIsQuarantinedToo) {
  create("a", "acme", 5, 2);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(store_->release(lease(TaskKind::kPrepare).lease, ReleaseReason::kCrashed, kAtOnce));
  }
  EXPECT_EQ(job("a").status, JobStatus::kPlanning);
  const LeasedTask leased = lease();
  EXPECT_EQ(leased.lease.kind, TaskKind::kPrepare);
  EXPECT_EQ(leased.segments[1].footage, plan::SourceKind::kCard);
  prepare(leased);
  EXPECT_EQ(job("a").crashes, 3) << "it stays a quarantined job";
  walk_to_done("a");
  EXPECT_EQ(job("a").fallback_reason, "crashed");
}

TEST_P(StoreContract, WorkThatEndsWellEndsARowOfCrashes) {
  create_prepared("a", 4);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(store_->release(lease().lease, ReleaseReason::kCrashed, kAtOnce));
  }
  EXPECT_EQ(job("a").crashes, 2);
  render(lease());
  EXPECT_EQ(job("a").crashes, 0);
  EXPECT_EQ(job("a").attempts, 2);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(store_->release(lease().lease, ReleaseReason::kCrashed, kAtOnce));
  }
  EXPECT_FALSE(job("a").fallback_used);
}

}  // namespace pytoon::testing_support
