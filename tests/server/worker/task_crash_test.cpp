// A process dies at every moment of a job in turn, and the next one finishes it to the same files.
#include "server/worker/task.h"

#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using testing_support::CrashAfterN;

class TaskCrash : public RunFixture {
 protected:
  // Runs the job of a fresh world to its end; the first process dies at the given moment.
  // Returns whether it died.
  bool run_with_death_at(int moment) {
    CrashAfterN doom(moment);
    {
      testing_support::FaultInjectingJobs jobs(*store_, doom);
      testing_support::FaultInjectingTasks tasks(*store_, doom);
      testing_support::FaultInjectingStorage storage(*storage_, doom);
      const WorkerDependencies mortal{jobs,     tasks,    storage, renderer_, engine_chain_,
                                      presets_, metrics_, clock_,  log_,      process_};
      Options options = options_;
      options.worker_id = "mortal";
      jobs::WorkerInfo facts;
      Worker subject(mortal, *store_, options, facts);
      for (int i = 0; i < 100 && !doom.met() && !is_terminal(job("a").status); ++i) {
        try {
          if (!step(subject)) clock_.advance(options_.back_off);
        } catch (const testing_support::Dead&) {
        }
      }
    }
    if (!doom.met()) return false;
    // The next process: it clears the staging folder, takes the leases over and goes on.
    storage_.reset();
    storage_ = *io::FileStorage::open(root(), 0);
    finish(*take_over());
    return true;
  }
  void fresh_world() {
    storage_.reset();
    fs::remove_all(root());
    storage_ = *io::FileStorage::open(root(), 0);
    store_ = io::open_memory_store(clock_);
    submit(order("a"));
  }
};

TEST_F(TaskCrash, AtAnyMomentLeadsToTheSameFilesAndNoSegmentTwice) {
  submit(order("a"));
  finish(*worker());
  auto expected = files("jobs/a");
  expected.erase("jobs/a/metadata.json");  // it has times
  ASSERT_EQ(expected.size(), 5U);
  int moment = 0;
  for (bool died = true; died; ++moment) {
    SCOPED_TRACE("death at moment " + std::to_string(moment));
    fresh_world();
    const int calls_before = renderer_.calls();
    died = run_with_death_at(moment);
    const jobs::Job done = job("a");
    ASSERT_EQ(done.status, jobs::JobStatus::kDone) << done.error;
    auto made = files("jobs/a");
    ASSERT_EQ(made.erase("jobs/a/metadata.json"), 1U);
    ASSERT_EQ(made, expected);
    ASSERT_FALSE(done.fallback_used);
    ASSERT_TRUE(fs::is_empty(root() / ".tmp"));
    ASSERT_LE(renderer_.calls() - calls_before, 4);  // at most the one it was at
    const auto kept_rows = *store_->segments("a");
    for (const auto& segment : kept_rows) {
      ASSERT_TRUE(*storage_->contains(segment.artifact_key));
    }
  }
  EXPECT_GT(moment, 60);  // the deaths were many, and the last run had none
}

}  // namespace pytoon::worker
