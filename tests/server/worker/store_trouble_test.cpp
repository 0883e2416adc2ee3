// Attempts are for crashes and errors: a store that is away, slow, or loses an answer costs none.
#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using jobs::JobStatus;
using render::Footage;
using testing_support::Fate;

class StoreTrouble : public RunFixture {
 protected:
  // Refuses or loses as often as it is told to, from the next call of a kind on.
  class Whim final : public Fate {
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
  class FleetThatMayBeAway final : public jobs::Fleet {
   public:
    explicit FleetThatMayBeAway(jobs::Fleet& real) : real_(real) {}
    bool away = false;
    Status put_worker(const jobs::WorkerFacts& worker) override {
      return away ? failure(FailureKind::kUnavailable, "away") : real_.put_worker(worker);
    }
    Status remove_worker(const std::string& holder) override { return real_.remove_worker(holder); }
    Result<std::vector<jobs::WorkerFacts>> workers(milliseconds seen_within) override {
      return real_.workers(seen_within);
    }
    Status set_draining(bool draining) override { return real_.set_draining(draining); }
    Result<bool> draining() override { return real_.draining(); }

   private:
    jobs::Fleet& real_;
  };

  std::unique_ptr<Worker> whimsical(jobs::Fleet& fleet) {
    Options options = options_;
    options.holder = "whimsical";
    const Parts real{*store_,  tasks_,   *storage_, renderer_, ladder_,
                     presets_, metrics_, clock_,    log_};
    return std::make_unique<Worker>(real, fleet, options, jobs::WorkerFacts{});
  }
  void look_on(Worker& worker, milliseconds time) {
    for (milliseconds passed{0}; passed < time; passed += milliseconds(500)) {
      clock_.advance(milliseconds(500));
      beat(worker);
    }
  }

  Whim whim_;
  testing_support::MortalTasks tasks_{*store_, whim_};
  FleetThatMayBeAway fleet_{*store_};
};

TEST_F(StoreTrouble, AnIdleWorkerLetsTheOthersRenewWhenTheStoreIsBack) {
  const auto holder = worker("holder");
  const auto idle = whimsical(fleet_);
  submit(order("a"));
  look_on(*idle, options_.lease);
  renderer_.on_render = [&](int index, Footage, const CancelToken& cancel) {
    if (index != 0) return ok_status();
    fleet_.away = true;
    look_on(*idle, options_.lease * 2);  // nobody reaches the store
    fleet_.away = false;
    look_on(*idle, options_.lease / 4);
    beat(*holder);
    look_on(*idle, options_.lease / 2);
    EXPECT_FALSE(cancel.cancelled());
    return ok_status();
  };
  finish(*holder);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(logged("task_reaped"), 0);
}

TEST_F(StoreTrouble, AWorkerThatStoodStillItselfJudgesNobodyAtOnce) {
  const auto holder = worker("holder");
  const auto idle = worker("idle");
  submit(order("a"));
  look_on(*idle, options_.lease);
  renderer_.on_render = [&](int index, Footage, const CancelToken&) {
    if (index != 0) return ok_status();
    clock_.advance(options_.lease * 2);  // the whole machine
    beat(*idle);
    beat(*holder);
    look_on(*idle, options_.lease / 2);
    return ok_status();
  };
  finish(*holder);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(logged("task_reaped"), 0);
}

TEST_F(StoreTrouble, ALeaseWhoseAnswerWasLostIsHandedBack) {
  submit(order("a", 1));
  const auto hands = whimsical(*store_);
  whim_.answer = Fate::Answer::kLoseTheAnswer;
  whim_.times = 1;
  EXPECT_FALSE(step(*hands, "render"));
  EXPECT_EQ(job("a").status, JobStatus::kPlanning) << "it was leased all the same";
  EXPECT_FALSE(step(*hands, "render"));
  beat(*hands);
  EXPECT_EQ(logged("strays_handed_back"), 1);
  finish(*hands);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 0);
}

TEST_F(StoreTrouble, WhatIsHeldIsNoStray) {
  submit(order("a", 1));
  const auto hands = whimsical(*store_);
  whim_.times = 1;
  EXPECT_FALSE(step(*hands, "render"));  // so that strays are looked for
  renderer_.on_render = [&](int, Footage, const CancelToken& cancel) {
    beat(*hands);
    beat(*hands);
    EXPECT_FALSE(cancel.cancelled());
    return ok_status();
  };
  finish(*hands);
  EXPECT_EQ(logged("strays_handed_back"), 0);
  EXPECT_EQ(renderer_.calls(), 1);
}

TEST_F(StoreTrouble, WorkIsHandedBackAsSoonAsTheStoreIsThere) {
  submit(order("a", 1));
  const auto hands = whimsical(*store_);
  renderer_.on_render = [&](int, Footage, const CancelToken&) -> Status {
    if (renderer_.calls() > 1) return ok_status();
    whim_.times = 6;
    return failure(FailureKind::kStorageFull, "the disk is full");
  };
  finish(*hands);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(logged("lease_not_released"), 6);
}

TEST_F(StoreTrouble, WhoWaitsForTheStoreIsNotStuck) {
  submit(order("a", 1));
  const auto hands = whimsical(*store_);
  class Waiting final : public Clock {
   public:
    Waiting(testing_support::HandClock& clock, Worker*& worker) : clock_(clock), worker_(worker) {}
    WallTime now() const override { return clock_.now(); }
    SteadyTime steady_now() const override { return clock_.steady_now(); }
    void sleep_for(milliseconds time) override {
      clock_.advance(time * 50);
      worker_->beat();
    }

   private:
    testing_support::HandClock& clock_;
    Worker*& worker_;
  };
  Worker* patient = nullptr;
  Waiting clock(clock_, patient);
  const Parts parts{*store_,  tasks_,   *storage_, renderer_, ladder_,
                    presets_, metrics_, clock,     log_};
  Options options = options_;
  options.holder = "patient";
  Worker worker(parts, *store_, options, jobs::WorkerFacts{});
  patient = &worker;
  renderer_.on_render = [&](int, Footage, const CancelToken&) {
    whim_.times = 100;  // longer than anything may stand still
    return ok_status();
  };
  finish(worker);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(logged("task_stuck"), 0);
  EXPECT_EQ(renderer_.calls(), 1);
}

}  // namespace pytoon::worker
