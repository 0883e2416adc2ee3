// What must not look like a lost lease, and what a lost one must not do: the end of a task, our own
// slowness, a job that wants to be alone.
#include <condition_variable>
#include <thread>

#include "tests/server/worker/run_fixture.h"
#include "tests/support/eventually.h"

namespace pytoon::worker {
namespace {

using jobs::JobStatus;
using testing_support::FaultPlan;

class LeaseUpkeep : public RunFixture {
 protected:
  std::unique_ptr<Worker> worker_over(jobs::TaskStore& tasks, bool sole_owner = false) {
    Options options = options_;
    options.worker_id = "worker";
    options.sole_owner = sole_owner;
    const WorkerDependencies with{*store_,  tasks,    *storage_, renderer_, engine_chain_,
                                  presets_, metrics_, clock_,    log_,      process_};
    return std::make_unique<Worker>(with, *store_, options, jobs::WorkerInfo{});
  }
  void make_suspect(const std::string& id, int priority) {
    auto made = order(id, 1);
    made.job.priority = priority;
    submit(made);
    ASSERT_TRUE(step(*worker("first")));  // prepares it
    crash_twice(id);
  }
};

// Looks at its leases between every commit and the moment when the worker knows of it.
TEST_F(LeaseUpkeep, ATaskThatHasJustEndedHasNotLostItsLease) {
  class BeatAfterEach final : public FaultPlan {
   public:
    Worker* worker = nullptr;
    Answer before_call() override { return Answer::kGoOn; }
    void after_call() override {
      if (worker == nullptr || beating_) return;
      beating_ = true;
      worker->renew_leases();
      beating_ = false;
    }

   private:
    bool beating_ = false;
  } faults;
  testing_support::FaultInjectingTasks tasks(*store_, faults);
  const auto subject = worker_over(tasks);
  faults.worker = subject.get();
  submit(order("a", 3));
  finish(*subject);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(metrics_.lost, 0);
  EXPECT_EQ(logged("lease_lost"), 0);
}

TEST_F(LeaseUpkeep, ALeaseThatIsLostInTheMiddleIsStillNoticed) {
  submit(order("a", 1));
  const auto subject = worker();
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken& cancel) -> Status {
    EXPECT_TRUE(store_->cancel("a"));
    subject->renew_leases();
    EXPECT_TRUE(cancel.cancelled());
    return failure(FailureKind::kCancelled, "cancelled");
  };
  while (step(*subject)) {
  }
  EXPECT_EQ(metrics_.lost, 1);
}

// Lost between two beats and noticed only by the write that would have ended the task.
TEST_F(LeaseUpkeep, ALeaseThatIsLostAtTheEndIsNoticedByTheEnd) {
  submit(order("a", 1));
  const auto subject = worker();
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    EXPECT_TRUE(store_->cancel("a"));
    return ok_status();
  };
  while (step(*subject)) {
  }
  EXPECT_EQ(metrics_.lost, 1);
  EXPECT_EQ(logged("lease_lost"), 1);
}

// A machine so busy that the thread that renews does not get its turn for minutes.
// Of 270 frames of a job a percent is three.
TEST_F(LeaseUpkeep, ProgressIsWrittenOnceASecondAndOnlyWhereAPercentChanged) {
  submit(order("a"));
  const auto subject = worker();
  ASSERT_TRUE(step(*subject));  // prepare
  std::vector<int> seen;
  renderer_.on_drawing = [&](const std::function<void(int)>& drawn) {
    const auto version_after = [&](int frames, milliseconds later) {
      drawn(frames);
      clock_.advance(later);
      subject->run_maintenance();
      seen.push_back(static_cast<int>(job("a").version));
    };
    const int before = static_cast<int>(job("a").version);
    version_after(2, milliseconds(1000));  // less than a percent
    version_after(9, milliseconds(250));
    version_after(30, milliseconds(250));  // too soon
    version_after(31, milliseconds(1000));
    version_after(31, milliseconds(1000));
    for (int& version : seen) version -= before;
  };
  ASSERT_TRUE(step(*subject));
  EXPECT_EQ(seen, (std::vector<int>{0, 1, 1, 2, 2}));
}

// Each asks in turn whether it is its turn; the others ask for nothing more.
TEST_F(LeaseUpkeep, OneWorkerOfManyLooksForTheDead) {
  using testing_support::CallCounter;
  std::vector<std::unique_ptr<CallCounter>> counts;
  std::vector<std::unique_ptr<testing_support::FaultInjectingTasks>> stores;
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < 5; ++i) {
    counts.push_back(std::make_unique<CallCounter>());
    stores.push_back(
        std::make_unique<testing_support::FaultInjectingTasks>(*store_, *counts.back()));
    workers.push_back(worker_over(*stores.back()));
  }
  const auto all_look = [&] {
    for (const auto& one : workers) one->run_maintenance();
  };
  for (int i = 0; i < 8; ++i) {  // until each trusts the store to answer
    all_look();
    clock_.advance(options_.lease / 10);
  }
  for (const auto& count : counts) count->calls = 0;
  all_look();
  int reaped = 0;
  for (const auto& count : counts) reaped += count->calls > 1;
  EXPECT_EQ(reaped, 1);
}

TEST_F(LeaseUpkeep, TheOnlyProcessOfAStoreLosesNothingToItsOwnSlowness) {
  submit(order("a", 2));
  const auto subject = worker_over(*store_, true);
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken& cancel) {
    for (int i = 0; i < 60; ++i) {
      clock_.advance(milliseconds(2000));
      subject->run_maintenance();  // this one does: it would call us dead
    }
    subject->renew_leases();
    EXPECT_FALSE(cancel.cancelled());
    return ok_status();
  };
  finish(*subject);
  EXPECT_EQ(job("a").status, JobStatus::kDone);
  EXPECT_EQ(job("a").attempts, 0);
  EXPECT_EQ(metrics_.reaped, 0);
  EXPECT_EQ(metrics_.lost, 0);
}

TEST_F(LeaseUpkeep, MaintenanceSaysItselfThatItFailed) {
  class Broken final : public jobs::WorkerRegistry {
   public:
    Status upsert_worker(const jobs::WorkerInfo&) override { throw std::runtime_error("broken"); }
    Status remove_worker(const std::string&) override { return ok_status(); }
    Result<std::vector<jobs::WorkerInfo>> workers(milliseconds) override {
      return std::vector<jobs::WorkerInfo>();
    }
    Status set_draining(bool) override { return ok_status(); }
    Result<bool> draining() override { return false; }
  } fleet;
  Options options = options_;
  options.worker_id = "worker";
  Worker subject(parts(), fleet, options, jobs::WorkerInfo{});
  subject.run_maintenance();
  EXPECT_EQ(logged("maintenance_failed"), 1);
  EXPECT_EQ(logged("heartbeat_failed"), 0);
}

// Holds whoever comes until it is opened.
class Gate {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.wait_for(lock, std::chrono::seconds(60), [this] { return open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  bool entered() {
    return support::eventually([this] { return inside(); }, std::chrono::seconds(20));
  }

 private:
  bool inside() {
    const std::lock_guard lock(mutex_);
    return inside_ > 0;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int inside_ = 0;
};

// As processes that die while they draw: their leases run out, nothing that they write counts, and
// none comes back, which would take its death back.
TEST_F(LeaseUpkeep, OnlyASuspectIsBlamedForTheDeathsOfItsWorker) {
  renderer_.on_render = [&](int, plan::SourceKind footage, const CancelToken&) -> Status {
    if (footage == plan::SourceKind::kCard) return ok_status();
    EXPECT_TRUE(store_->expire_leases_except("a living one"));
    EXPECT_TRUE(store_->reap());
    return ok_status();
  };
  make_suspect("suspect", 9);
  std::vector<std::unique_ptr<Worker>> workers;  // until the end: going, they say that they live
  const auto a_worker_steps = [&] {
    workers.push_back(worker("mortal " + std::to_string(workers.size())));
    EXPECT_TRUE(step(*workers.back()));
  };
  for (int death = 0; death < 2; ++death) a_worker_steps();
  EXPECT_EQ(job("suspect").crashes, 2) << "twice may be the power";
  a_worker_steps();
  EXPECT_EQ(job("suspect").fallback_reason, "crashed");
  const auto subject = worker_over(*store_);
  finish(*subject, "suspect");

  submit(order("innocent", 1));
  EXPECT_TRUE(step(*subject));  // prepares it
  for (int death = 0; death < 2; ++death) a_worker_steps();
  EXPECT_EQ(job("innocent").crashes, 2);
  a_worker_steps();
  renderer_.on_render = nullptr;
  finish(*subject, "innocent");
  EXPECT_FALSE(job("innocent").fallback_used);
  EXPECT_EQ(job("innocent").crashes, 0);
}

// Two suspects are leased at once; the one that waits for its turn loses its lease meanwhile.
TEST_F(LeaseUpkeep, ASuspectThatGivesUpWaitingDoesNotEndTheTurnOfAnother) {
  class HoldTheAnswer final : public FaultPlan {
   public:
    Gate gate;
    std::atomic<std::thread::id> whose{};
    Answer before_call() override { return Answer::kGoOn; }
    void after_call() override {
      if (whose == std::this_thread::get_id()) gate.wait();
    }
  } faults;
  testing_support::FaultInjectingTasks tasks(*store_, faults);
  const auto subject = worker_over(tasks);
  make_suspect("second", 5);
  make_suspect("waits", 9);
  submit(order("other", 1));
  Gate drawing;
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken& cancel) -> Status {
    if (cancel.cancelled()) return failure(FailureKind::kCancelled, "cancelled");
    drawing.wait();
    return ok_status();
  };
  std::thread waiting([&] {
    faults.whose = std::this_thread::get_id();
    EXPECT_TRUE(subject->step(0));  // leases "waits", and hears of it late
  });
  ASSERT_TRUE(faults.gate.entered());
  std::thread alone([&] { EXPECT_TRUE(subject->step(0)); });
  ASSERT_TRUE(drawing.entered());
  faults.gate.open();
  ASSERT_TRUE(support::eventually([&] { return subject->held() == 2; }, std::chrono::seconds(20)));
  ASSERT_TRUE(store_->force_fail("waits", "by hand"));
  subject->renew_leases();
  waiting.join();
  EXPECT_FALSE(subject->step(0)) << "something else was begun beside a suspect";
  drawing.open();
  alone.join();
  EXPECT_TRUE(subject->step(0));
}

}  // namespace
}  // namespace pytoon::worker
