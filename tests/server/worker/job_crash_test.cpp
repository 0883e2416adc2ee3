// A process dies at every moment of a job in turn, and the next one finishes it to the same files.
#include "server/worker/job_run.h"

#include "server/io/sqlite_store.h"
#include "tests/server/worker/mortal_parts.h"
#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
using testing_support::Doom;

class JobCrash : public RunFixture {
 protected:
  // Runs the job of a fresh world to its end; the first process dies at the given moment.
  // Returns whether it died.
  bool run_with_death_at(int moment, jobs::JobStore& store) {
    Doom doom(moment);
    testing_support::MortalStore mortal_store(store, doom);
    testing_support::MortalStorage mortal_storage(*storage_, doom);
    RunParts mortal{mortal_store, mortal_storage, renderer_, ladder_,
                    presets_,     metrics_,       clock_,    log_};
    {
      auto claim = store.lease_next("mortal", milliseconds(20'000));
      JobRun run(std::move(**claim), mortal, options_);
      finish(run);
    }
    if (!doom.met()) return false;
    // The next process: it clears the staging folder, takes the leases over and goes on.
    storage_.reset();
    storage_ = *io::FileStorage::open(root(), 0);
    EXPECT_TRUE(store.expire_leases_except("next"));
    auto claim = store.lease_next("next", milliseconds(20'000));
    EXPECT_TRUE(claim);
    if (!*claim) return true;  // it died after the last commit
    RunParts alive{store, *storage_, renderer_, ladder_, presets_, metrics_, clock_, log_};
    JobRun run(std::move(**claim), alive, options_);
    finish(run);
    return true;
  }

  std::map<std::string, std::string> undisturbed() {
    submit(order("a"));
    finish(*lease());
    return files("jobs/a");
  }
};

TEST_F(JobCrash, AtAnyMomentLeadsToTheSameFilesAndNoSegmentTwice) {
  const auto expected = undisturbed();
  ASSERT_EQ(expected.size(), 6U);
  int moment = 0;
  for (bool died = true; died; ++moment) {
    SCOPED_TRACE("death at moment " + std::to_string(moment));
    fs::remove_all(root());
    storage_ = *io::FileStorage::open(root(), 0);
    jobs::MemoryJobStore store(clock_);
    const auto wish = order("a");
    ASSERT_TRUE(store.create(wish, 10));
    ASSERT_TRUE(store.keep_asset(*store_.asset("acme", "assets/acme/a.png")));
    const int calls_before = renderer_.calls();
    died = run_with_death_at(moment, store);
    const jobs::Job done = *store.job("a");
    ASSERT_EQ(done.status, jobs::JobStatus::kDone) << done.error;
    ASSERT_EQ(files("jobs/a"), expected);
    ASSERT_FALSE(done.fallback_used);
    ASSERT_TRUE(fs::is_empty(root() / ".tmp"));
    ASSERT_LE(renderer_.calls() - calls_before, 4);  // at most the one it was at
    const auto kept_rows = *store.segments("a");
    for (const auto& segment : kept_rows) {
      ASSERT_TRUE(storage_->exists(segment.artifact_key));
    }
  }
  EXPECT_GT(moment, 60);  // the deaths were many, and the last run had none
}

TEST_F(JobCrash, TheSameHoldsForTheDatabase) {
  const auto expected = undisturbed();
  for (int moment = 0; moment < 90; moment += 7) {
    SCOPED_TRACE("death at moment " + std::to_string(moment));
    fs::remove_all(root());
    storage_ = *io::FileStorage::open(root(), 0);
    const fs::path file = folder_.path() / (std::to_string(moment) + ".db");
    const auto store = *io::SqliteStore::open(file, clock_, {});
    const auto wish = order("a");
    ASSERT_TRUE(store->create(wish, 10));
    ASSERT_TRUE(store->keep_asset(*store_.asset("acme", "assets/acme/a.png")));
    run_with_death_at(moment, *store);
    ASSERT_EQ(store->job("a")->status, jobs::JobStatus::kDone);
    ASSERT_EQ(files("jobs/a"), expected);
  }
}

}  // namespace pytoon::worker
