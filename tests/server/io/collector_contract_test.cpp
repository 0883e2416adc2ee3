// What the garbage collector removes, and what it never touches.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

#include "tests/server/io/collector_fixture.h"
#include "tests/server/io/storage/s3_fixture.h"

namespace pytoon::testing_support {

class CollectorContract : public CollectorFixture {};

// A store after more than a year, and what of it must stay. The live job's finish task is leased.
class FullStore : public CollectorFixture {
 protected:
  void SetUp() override {
    CollectorFixture::SetUp();
    used_ = upload('a');
    unused_ = upload('b');
    create_from("ancient", used_);
    draw("ancient");
    fail("ancient");
    create_from("done", used_);
    draw("done");
    finish();
    tell_all();
    advance(kDay * 300);
    create_from("failed", used_);
    draw("failed");
    fail("failed");
    create_from("cancelled", used_);
    draw("cancelled");
    ASSERT_TRUE(store_->cancel("cancelled"));
    tell_all();
    advance(kDay * 80);
    const std::string fresh = upload('c');
    create_from("young", fresh);
    draw("young");
    fail("young");
    create_from("live", fresh);
    draw("live");
    epoch_ = std::to_string(lease(TaskKind::kFinish).lease.epoch);
    expected_ = {used_, fresh};
    for (const char* id : {"done", "young", "live"}) {
      const Keys theirs = keys_of(id);
      EXPECT_GE(theirs.size(), 4U) << id;
      expected_.insert(theirs.begin(), theirs.end());
    }
    put_leftovers();
  }

  void put_leftovers() {
    // What no row names but somebody may commit, or is nobody's business of ours.
    for (const std::string& key :
         {"segments/live." + epoch_ + ".mp4", "outputs/live/1." + epoch_ + "/output.mp4",
          std::string("brand/logo.png"), std::string("assets/brand_logo.png"),
          std::string("elsewhere/notes.txt")}) {
      put(key);
      expected_.insert(key);
    }
    // What is too young to be judged.
    for (const std::string& key :
         {std::string("segments/young.990001.mp4"), "assets/acme/" + sha('d') + ".png"}) {
      put(key, hours(23));
      expected_.insert(key);
    }
    // What nobody needs.
    for (const std::string& key :
         {std::string("segments/loser.990002.mp4"), std::string("footage/live/0.990003.mp4"),
          std::string("footage/nobody/0.990004.mp4"), std::string("audio/live.990005.mp4"),
          "assets/acme/" + sha('e') + ".png", std::string("jobs/nobody/output.mp4"),
          std::string("outputs/done/1.990006/output.mp4"),
          std::string("outputs/live/1.990007/thumbnail.jpg"),
          std::string("jobs/nobody/segments/seg_000.mp4"), std::string("jobs/failed/late.mp4")}) {
      put(key);
    }
  }

  std::string used_;
  std::string unused_;
  std::string epoch_;
  Keys expected_;
};

TEST_P(FullStore, KeepsExactlyTheObjectsThatAreNeeded) {
  collect();
  EXPECT_EQ(keys(), expected_);
  EXPECT_EQ(pending_deletions(), 0U);
  // A second pass has nothing to do.
  advance(hours(7));
  deletions_.deleted.clear();
  collect();
  EXPECT_EQ(keys(), expected_);
  EXPECT_TRUE(deletions_.deleted.empty());
}

// The objects in a bucket of a real S3 server.
class FullStoreOnS3 : public FullStore {
 protected:
  jobs::ObjectStore& objects() override { return *bucket_.storage; }

 private:
  io::S3Rig bucket_;
};

TEST_P(FullStoreOnS3, KeepsExactlyTheObjectsThatAreNeeded) {
  collect();
  EXPECT_EQ(keys(), expected_);
  EXPECT_EQ(pending_deletions(), 0U);
}

TEST_P(FullStore, KeepsExactlyTheRowsThatAreNeeded) {
  collect();
  EXPECT_EQ(store_->job("ancient").failure().kind, FailureKind::kNotFound);
  for (const char* id : {"done", "failed", "cancelled", "young", "live"}) {
    EXPECT_TRUE(store_->job(id)) << id;
  }
  EXPECT_EQ(store_->asset("acme", unused_).failure().kind, FailureKind::kNotFound);
  EXPECT_TRUE(store_->asset("acme", used_));
  EXPECT_FALSE(*store_->record("acme", "key of failed"));
  EXPECT_TRUE(*store_->record("acme", "key of live"));
  EXPECT_EQ(store_->redeliver("failed").failure().kind, FailureKind::kNotFound);
  EXPECT_TRUE(store_->redeliver("young"));
}

TEST_P(FullStore, SaysWhatItDeletedByKind) {
  collect();
  EXPECT_TRUE(logged("\"event\":\"gc_completed\""));
  for (const auto& [kind, count] : jobs::DeletedCounts{{"segment", 4},
                                                       {"footage", 5},
                                                       {"audio", 4},
                                                       {"upload", 2},
                                                       {"output", 2},
                                                       {"job_file", 6},
                                                       {"asset", 1},
                                                       {"expired_job", 3},
                                                       {"job", 1}}) {
    EXPECT_EQ(deletions_.deleted[kind], count) << kind;
    EXPECT_TRUE(logged("\"" + kind + "\":" + std::to_string(count))) << kind;
  }
}

TEST_P(CollectorContract, AnUploadOutlivesTheLastJobThatNeededItByItsRetention) {
  const std::string asset = upload('a');
  create_from("a", asset);
  draw("a");
  advance(kDay * 400);
  collect();
  EXPECT_TRUE(keys().contains(asset)) << "a live job needs it";
  ASSERT_TRUE(store_->cancel("a"));
  advance(kDay * 4);
  collect();  // gives the files of the job up
  EXPECT_TRUE(keys_of("a").empty());
  EXPECT_TRUE(keys().contains(asset)) << "its time begins now";
  advance(kDay * 91);
  collect();
  EXPECT_FALSE(keys().contains(asset));
}

TEST_P(CollectorContract, ZeroIsForEver) {
  create_from("a", upload('a'));
  draw("a");
  fail("a");
  put("segments/orphan.990001.mp4");
  const Keys before = keys();
  advance(kDay * 4000);
  collect({.done_jobs = {},
           .failed_jobs = {},
           .cancelled_jobs = {},
           .job_records = {},
           .unused_assets = {},
           .idempotency_records = {},
           .events = {},
           .dead_letters = {},
           .purchases = {},
           .orphans = {}});
  EXPECT_EQ(keys(), before);
  EXPECT_TRUE(*store_->record("acme", "key of a"));
}

TEST_P(CollectorContract, AJobWhoseFilesAreGoneIsRunAgainFromItsBeginning) {
  create_from("a", upload('a'));
  draw("a");
  fail("a");
  advance(kDay * 15);
  collect();
  ASSERT_TRUE(keys_of("a").empty());
  ASSERT_TRUE(store_->retry("a"));
  const Segment again = segments("a").at(0);
  EXPECT_EQ(again.status, jobs::SegmentStatus::kPending);
  EXPECT_EQ(again.artifact_key + again.footage_key, "");
  EXPECT_FALSE(again.footage);
  draw("a");
  finish();
  advance(kDay * 15);
  collect();
  EXPECT_GE(keys_of("a").size(), 5U) << "of a DONE job they stay";
}

// A commit that is under way names an object that no row names yet.
TEST_P(CollectorContract, WhatAHeldLeaseMayCommitIsNotCondemnedHoweverOld) {
  create_prepared("a", 1);
  const jobs::LeasedTask drawing = lease(TaskKind::kRender);
  const std::string key = "segments/x." + std::to_string(drawing.lease.epoch) + ".mp4";
  EXPECT_TRUE(store_->condemn({key})->empty());
  Segment segment = drawing.segments.at(0);
  segment.artifact_key = key;
  ASSERT_TRUE(store_->segment_done(drawing.lease, segment, 1.0));
  EXPECT_TRUE(store_->condemn({key})->empty()) << "its row names it now";
  ASSERT_TRUE(store_->cancel("a"));
  EXPECT_TRUE(store_->condemn({key})->empty()) << "within its retention";
  const std::string loser = "segments/y." + std::to_string(drawing.lease.epoch) + ".mp4";
  EXPECT_EQ(store_->condemn({loser})->size(), 1U) << "nobody holds that lease any more";
  EXPECT_TRUE(store_->condemn({loser})->empty()) << "it is condemned already";
}

TEST_P(CollectorContract, APassIsMadeInBoundedPieces) {
  for (int i = 0; i < 1100; ++i) {
    fs::create_directories(folder_.path() / "storage/segments");
    const fs::path file =
        folder_.path() / "storage/segments" / ("x." + std::to_string(990000 + i) + ".mp4");
    ASSERT_GE(::close(::creat(file.c_str(), 0644)), 0);
    const auto wall = std::chrono::file_clock::from_sys(SystemClock().now() - kOld);
    fs::last_write_time(file, std::chrono::time_point_cast<fs::file_time_type::duration>(wall));
  }
  jobs::GarbageCollector collector(*store_, *storage_, *eraser_, deletions_, clock_, log_, {});
  std::size_t before = keys().size();
  std::size_t most = 0;
  while (collector.step()) {
    const std::size_t now = keys().size();
    most = std::max(most, before - now);
    before = now;
  }
  EXPECT_EQ(before, 0U);
  EXPECT_EQ(most, 500U);
}

TEST_P(CollectorContract, OneProcessOfAFleetMakesThePass) {
  EXPECT_TRUE(*store_->begin_gc_pass(hours(6)));
  EXPECT_FALSE(*store_->begin_gc_pass(hours(6)));
  advance(hours(5));
  EXPECT_FALSE(*store_->begin_gc_pass(hours(6)));
  advance(hours(2));
  EXPECT_TRUE(*store_->begin_gc_pass(hours(6)));
}

TEST_P(CollectorContract, WhatOneKindRefusesDoesNotHoldUpTheRest) {
  put("segments/orphan.990001.mp4");
  refusal_.refusing = true;  // the storage's time can't be asked either: nothing is old
  collect();
  EXPECT_TRUE(logged("gc_deferred"));
  EXPECT_TRUE(logged("gc_completed"));
  EXPECT_EQ(keys().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Stores, FullStore, testing::ValuesIn(all_stores()),
                         [](const auto& store) { return store.param.name; });
INSTANTIATE_TEST_SUITE_P(Sqlite, FullStoreOnS3, testing::Values(all_stores().at(1)),
                         [](const auto& store) { return store.param.name; });
INSTANTIATE_TEST_SUITE_P(Stores, CollectorContract, testing::ValuesIn(all_stores()),
                         [](const auto& store) { return store.param.name; });

}  // namespace pytoon::testing_support
