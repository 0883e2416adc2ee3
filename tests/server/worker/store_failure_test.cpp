// Attempts are for crashes and errors: a store that is away, slow, or loses an answer costs none.
#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using jobs::JobStatus;
using testing_support::FaultPlan;

class StoreTrouble : public RunFixture {
 protected:
  // Refuses or loses as often as it is told to, from the next call of a kind on.
  class ScriptedFault final : public FaultPlan {
   public:
    Answer answer = Answer::kRefuse;
    int times = 0;
    int skip = 0;
    Answer before_call() override {
      if (times == 0 || skip-- > 0) return Answer::kGoOn;
      --times;
      return answer;
    }
    void after_call() override {}
  };
  class FleetThatMayBeAway final : public jobs::WorkerRegistry {
   public:
    explicit FleetThatMayBeAway(jobs::WorkerRegistry& real) : real_(real) {}
    bool away = false;
    Status upsert_worker(const jobs::WorkerInfo& worker) override {
      return away ? failure(FailureKind::kUnavailable, "away") : real_.upsert_worker(worker);
    }
    Status remove_worker(const std::string& worker_id) override {
      return real_.remove_worker(worker_id);
    }
    Result<std::vector<jobs::WorkerInfo>> workers(milliseconds seen_within) override {
      return real_.workers(seen_within);
    }
    Status set_draining(bool draining) override { return real_.set_draining(draining); }
    Result<bool> draining() override { return real_.draining(); }

   private:
    jobs::WorkerRegistry& real_;
  };

  std::unique_ptr<Worker> whimsical(jobs::WorkerRegistry& fleet) {
    Options options = options_;
    options.worker_id = "whimsical";
    const WorkerDependencies real{*store_,  tasks_,   *storage_, renderer_, engine_chain_,
                                  presets_, metrics_, clock_,    log_,      process_};
    return std::make_unique<Worker>(real, fleet, options, jobs::WorkerInfo{});
  }
  void look_on(Worker& worker, milliseconds time) {
    for (milliseconds passed{0}; passed < time; passed += milliseconds(500)) {
      clock_.advance(milliseconds(500));
      renew_leases(worker);
    }
  }

  ScriptedFault whim_;
  testing_support::FaultInjectingTasks tasks_{*store_, whim_};
  FleetThatMayBeAway fleet_{*store_};
};

TEST_F(StoreTrouble, AnIdleWorkerLetsTheOthersRenewWhenTheStoreIsBack) {
  const auto worker_id = worker("worker_id");
  const auto idle = whimsical(fleet_);
  submit(order("a"));
  look_on(*idle, options_.lease);
  renderer_.on_render = [&](int index, plan::SourceKind, const CancelToken& cancel) {
    if (index != 0) return ok_status();
    fleet_.away = true;
    look_on(*idle, options_.lease * 2);  // nobody reaches the store
    fleet_.away = false;
    look_on(*idle, options_.lease / 4);
    renew_leases(*worker_id);
    look_on(*idle, options_.lease / 2);
    EXPECT_FALSE(cancel.cancelled());
    return ok_status();
  };
  finish(*worker_id);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(logged("task_reaped"), 0);
}

TEST_F(StoreTrouble, AWorkerThatStoodStillItselfJudgesNobodyAtOnce) {
  const auto worker_id = worker("worker_id");
  const auto idle = worker("idle");
  submit(order("a"));
  look_on(*idle, options_.lease);
  renderer_.on_render = [&](int index, plan::SourceKind, const CancelToken&) {
    if (index != 0) return ok_status();
    clock_.advance(options_.lease * 2);  // the whole machine
    renew_leases(*idle);
    renew_leases(*worker_id);
    look_on(*idle, options_.lease / 2);
    return ok_status();
  };
  finish(*worker_id);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(logged("task_reaped"), 0);
}

TEST_F(StoreTrouble, ALeaseWhoseAnswerWasLostIsHandedBack) {
  submit(order("a", 1));
  const auto subject = whimsical(*store_);
  whim_.answer = FaultPlan::Answer::kLoseTheAnswer;
  whim_.times = 1;
  EXPECT_FALSE(step(*subject, "render"));
  EXPECT_EQ(job("a").status, JobStatus::kPlanning) << "it was leased all the same";
  EXPECT_FALSE(step(*subject, "render"));
  renew_leases(*subject);
  EXPECT_EQ(logged("orphan_leases_released"), 1);
  finish(*subject);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 0);
}

TEST_F(StoreTrouble, WhatIsHeldIsNoStray) {
  submit(order("a", 1));
  const auto subject = whimsical(*store_);
  whim_.times = 1;
  EXPECT_FALSE(step(*subject, "render"));  // so that orphan leases are looked for
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken& cancel) {
    renew_leases(*subject);
    renew_leases(*subject);
    EXPECT_FALSE(cancel.cancelled());
    return ok_status();
  };
  finish(*subject);
  EXPECT_EQ(logged("orphan_leases_released"), 0);
  EXPECT_EQ(renderer_.calls(), 1);
}

TEST_F(StoreTrouble, WorkIsHandedBackAsSoonAsTheStoreIsThere) {
  submit(order("a", 1));
  const auto subject = whimsical(*store_);
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) -> Status {
    if (renderer_.calls() > 1) return ok_status();
    whim_.times = 6;
    return failure(FailureKind::kStorageFull, "the disk is full");
  };
  finish(*subject);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(logged("lease_not_released"), 6);
}

TEST_F(StoreTrouble, WhoWaitsForTheStoreIsNotStuck) {
  submit(order("a", 1));
  const auto subject = whimsical(*store_);
  class Waiting final : public Clock {
   public:
    Waiting(testing_support::HandClock& clock, Worker*& worker) : clock_(clock), worker_(worker) {}
    WallTime now() const override { return clock_.now(); }
    SteadyTime steady_now() const override { return clock_.steady_now(); }
    void sleep_for(milliseconds time) override {
      clock_.advance(time * 50);
      worker_->renew_leases();
    }

   private:
    testing_support::HandClock& clock_;
    Worker*& worker_;
  };
  Worker* patient = nullptr;
  Waiting clock(clock_, patient);
  const WorkerDependencies parts{*store_,  tasks_,   *storage_, renderer_, engine_chain_,
                                 presets_, metrics_, clock,     log_,      process_};
  Options options = options_;
  options.worker_id = "patient";
  Worker worker(parts, *store_, options, jobs::WorkerInfo{});
  patient = &worker;
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    whim_.times = 100;  // longer than anything may stand still
    return ok_status();
  };
  finish(worker);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(logged("task_stuck"), 0);
  EXPECT_EQ(renderer_.calls(), 1);
}

}  // namespace pytoon::worker
