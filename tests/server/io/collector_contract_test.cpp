// The garbage collector and deletions, on every database, over a storage on disk.
#include <algorithm>
#include <set>
#include <sstream>

#include "base/files.h"
#include "server/io/file_storage.h"
#include "server/jobs/asset_keeper.h"
#include "server/jobs/garbage_collector.h"
#include "tests/server/io/store_fixture.h"
#include "tests/support/fault_injection.h"

namespace pytoon::testing_support {
namespace fs = std::filesystem;
using jobs::JobStatus;
using jobs::Segment;
using jobs::TaskKind;
using std::chrono::hours;
using Keys = std::set<std::string>;

namespace {

constexpr hours kDay{24};
constexpr hours kOld{100};  // of an object: past the grace age

class CountedDeletions final : public jobs::GcMetrics {
 public:
  void gc_deleted(std::string_view kind, std::int64_t count) override {
    counts[std::string(kind)] += count;
  }
  jobs::DeletedCounts counts;
};

// Refuses to remove while it is told to.
class RefusedRemovals final : public FaultPlan {
 public:
  Answer before_call() override { return refusing ? Answer::kRefuse : Answer::kGoOn; }
  void after_call() override {}
  bool refusing = false;
};

std::string sha(char letter) { return std::string(64, letter); }

}  // namespace

class CollectorContract : public StoreContract {
 protected:
  void SetUp() override {
    StoreContract::SetUp();
    disk_ = *io::FileStorage::open(folder_.path() / "storage", 0);
    storage_ = std::make_unique<FaultInjectingStorage>(*disk_, removals_);
    eraser_ = std::make_unique<jobs::Eraser>(*store_, *store_, *storage_, deletions_, log_);
  }

  void put(const std::string& key, hours age = kOld) {
    const fs::path staged = disk_->staging("file");
    ASSERT_TRUE(write_file_atomically(staged, "bytes"));
    ASSERT_TRUE(disk_->put(staged, key));
    const auto wall = std::chrono::file_clock::from_sys(SystemClock().now() - age);
    fs::last_write_time(folder_.path() / "storage" / key,
                        std::chrono::time_point_cast<fs::file_time_type::duration>(wall));
  }
  std::string upload(char letter, const std::string& tenant = "acme", hours age = kOld) {
    jobs::AssetRecord asset;
    asset.tenant = tenant;
    asset.sha256 = sha(letter);
    asset.key = jobs::asset_folder(tenant) + asset.sha256 + ".png";
    asset.category = "image";
    asset.format = "png";
    const Status kept = store_->keep_asset(asset);
    EXPECT_TRUE(kept) << kept.failure().detail;
    put(asset.key, age);
    return asset.key;
  }
  // Of one segment, made of one image, with a webhook and an idempotency key of its own.
  void create_from(const std::string& id, const std::string& asset,
                   const std::string& tenant = "acme") {
    jobs::NewJob order = sample_job(id, tenant, 5, 1);
    order.job.spec.assets.images = {"storage://" + asset};
    order.job.webhook_url = "https://example.com/hook";
    order.idempotency_key = "key of " + id;
    const auto created = store_->create(order, kPlenty);
    ASSERT_TRUE(created) << created.failure().detail;
  }
  // Everything that a job leaves in storage on its way, with names in its rows.
  void draw(const std::string& id) {
    prepare(lease(TaskKind::kPrepare), true, true);
    const jobs::LeasedTask audio = lease(TaskKind::kAudio);
    ASSERT_EQ(audio.job.id, id);
    const std::string audio_key = "audio/" + id + "." + std::to_string(audio.lease.epoch) + ".mp4";
    put(audio_key);
    ASSERT_TRUE(store_->audio_made(audio.lease, audio_key, "sha", "{}"));
    const jobs::LeasedTask drawing = lease(TaskKind::kRender);
    Segment segment = drawing.segments.at(0);
    segment.status = jobs::SegmentStatus::kDone;
    segment.artifact_key = "segments/" + id + "." + std::to_string(drawing.lease.epoch) + ".mp4";
    segment.footage_key = "footage/" + id + "/0." + std::to_string(drawing.lease.epoch) + ".mp4";
    put(segment.artifact_key);
    put(segment.footage_key);
    ASSERT_TRUE(store_->segment_done(drawing.lease, segment, 1.0));
    ASSERT_TRUE(disk_->link(segment.artifact_key, jobs::segment_link_key(id, 0)));
  }
  void finish() {
    const jobs::LeasedTask finish = lease(TaskKind::kFinish);
    for (const char* file : {"output.mp4", "thumbnail.jpg", "metadata.json"}) {
      put(jobs::job_file_key(finish.job.id, file));
    }
    ASSERT_TRUE(store_->finished(finish.lease));
  }
  void tell_all() {
    for (const jobs::Event& event : *store_->take_events(100, std::chrono::seconds(60))) {
      ASSERT_TRUE(store_->event_delivered(event));
    }
  }
  Keys keys() {
    Keys found;
    for (const auto& object : *disk_->list("")) found.insert(object.key);
    return found;
  }
  // Of the job: what is in storage.
  Keys keys_of(const std::string& id) {
    Keys found;
    for (const std::string& key : keys()) {
      if (key.find("/" + id + "/") != std::string::npos ||
          key.find("/" + id + ".") != std::string::npos) {
        found.insert(key);
      }
    }
    return found;
  }
  int collect(jobs::Retention retention = {}) {
    jobs::GarbageCollector collector(*store_, *storage_, *eraser_, deletions_, clock_, log_,
                                     {retention, hours(6)});
    int steps = 0;
    while (collector.step() && ++steps < 1000) {
    }
    EXPECT_LT(steps, 1000);
    return steps;
  }
  bool logged(const std::string& text) { return lines_.str().find(text) != std::string::npos; }

  std::ostringstream lines_;
  Log log_{clock_, lines_};
  CountedDeletions deletions_;
  RefusedRemovals removals_;
  std::unique_ptr<io::FileStorage> disk_;
  std::unique_ptr<FaultInjectingStorage> storage_;
  std::unique_ptr<jobs::Eraser> eraser_;
};

// A store after more than a year, and what of it must stay. The live job's finish task is leased.
class FullStore : public CollectorContract {
 protected:
  void SetUp() override {
    CollectorContract::SetUp();
    used_ = upload('a');
    unused_ = upload('b');
    create_from("ancient", used_);
    draw("ancient");
    fail_by_hand("ancient", "x");
    create_from("done", used_);
    draw("done");
    finish();
    tell_all();
    advance(kDay * 300);
    create_from("failed", used_);
    draw("failed");
    fail_by_hand("failed", "x");
    create_from("cancelled", used_);
    draw("cancelled");
    ASSERT_TRUE(store_->cancel("cancelled"));
    tell_all();
    advance(kDay * 80);
    const std::string fresh = upload('c');
    create_from("young", fresh);
    draw("young");
    fail_by_hand("young", "x");
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
         {"segments/live." + epoch_ + ".mp4", std::string("brand/logo.png"),
          std::string("assets/brand_logo.png"), std::string("elsewhere/notes.txt")}) {
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
  EXPECT_EQ(*store_->pending_deletions(), 0);
  // A second pass has nothing to do.
  advance(hours(7));
  deletions_.counts.clear();
  collect();
  EXPECT_EQ(keys(), expected_);
  EXPECT_TRUE(deletions_.counts.empty());
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
                                                       {"job_file", 6},
                                                       {"asset", 1},
                                                       {"expired_job", 3},
                                                       {"job", 1}}) {
    EXPECT_EQ(deletions_.counts[kind], count) << kind;
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
  fail_by_hand("a", "x");
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
  fail_by_hand("a", "x");
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

TEST_P(CollectorContract, NothingNewRefersToAnObjectThatIsBeingDeleted) {
  const std::string key = "assets/acme/" + sha('a') + ".png";
  ASSERT_EQ(store_->condemn({key})->size(), 1U);
  jobs::AssetRecord asset;
  asset.tenant = "acme";
  asset.key = key;
  EXPECT_EQ(store_->keep_asset(asset).failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(store_->asset("acme", key).failure().kind, FailureKind::kNotFound);
  ASSERT_EQ(store_->take_deletions(10, std::chrono::minutes(1))->size(), 1U);
  EXPECT_TRUE(store_->take_deletions(10, std::chrono::minutes(1))->empty()) << "it is leased";
  EXPECT_FALSE(store_->keep_asset(asset));
  advance(std::chrono::minutes(2));
  EXPECT_EQ(store_->take_deletions(10, std::chrono::minutes(1))->size(), 1U) << "that one died";
  ASSERT_TRUE(store_->deleted({key}));
  EXPECT_TRUE(store_->keep_asset(asset));
  EXPECT_TRUE(store_->condemn({key})->empty());
}

TEST_P(CollectorContract, AJobIsRefusedWhenItsUploadIsGone) {
  const std::string asset = upload('a');
  ASSERT_TRUE(eraser_->delete_asset("acme", asset));
  EXPECT_FALSE(keys().contains(asset));
  jobs::NewJob order = sample_job("a");
  order.job.spec.assets.mask = "storage://" + asset;
  EXPECT_EQ(store_->create(order, kPlenty).failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(store_->job("a").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(upload('a'), asset) << "it may come again at once";
}

TEST_P(CollectorContract, AnUploadIsDeletedWhenNoLiveJobNeedsIt) {
  const std::string asset = upload('a');
  create_from("a", asset);
  EXPECT_EQ(eraser_->delete_asset("other", asset).failure().kind, FailureKind::kNotFound);
  const Status refused = eraser_->delete_asset("acme", asset);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kConflict);
  EXPECT_NE(refused.failure().detail.find("job a"), std::string::npos);
  EXPECT_EQ(*store_->pending_deletions(), 0) << "a refusal leaves nothing behind";
  EXPECT_TRUE(store_->asset("acme", asset));
  ASSERT_TRUE(store_->cancel("a"));
  ASSERT_TRUE(eraser_->delete_asset(std::nullopt, asset));  // an operator
  EXPECT_EQ(eraser_->delete_asset("acme", asset).failure().kind, FailureKind::kNotFound);
  EXPECT_FALSE(keys().contains(asset));
}

TEST_P(CollectorContract, ADeletedJobLeavesNothing) {
  const std::string asset = upload('a');
  create_from("a", asset);
  EXPECT_EQ(eraser_->delete_job("a").failure().kind, FailureKind::kConflict);
  draw("a");
  finish();
  create_from("b", asset);
  draw("b");
  for (const char* key : {"footage/a/0.990001.mp4", "audio/a.990002.mp4", "jobs/a/late.mp4"}) {
    put(key, hours(0));
  }
  ASSERT_TRUE(eraser_->delete_job("a"));
  EXPECT_TRUE(keys_of("a").empty());
  EXPECT_EQ(keys_of("b").size(), 4U);
  EXPECT_TRUE(keys().contains(asset));
  EXPECT_EQ(store_->job("a").failure().kind, FailureKind::kNotFound);
  EXPECT_TRUE(store_->segments("a")->empty());
  EXPECT_FALSE(*store_->record("acme", "key of a"));
  EXPECT_EQ(eraser_->delete_job("a").failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(*store_->pending_deletions(), 0);
}

TEST_P(CollectorContract, WhatCantBeRemovedNowIsRemovedLater) {
  create_from("a", upload('a'));
  draw("a");
  finish();
  removals_.refusing = true;
  ASSERT_TRUE(eraser_->delete_job("a")) << "the record says that it is gone";
  EXPECT_FALSE(keys_of("a").empty());
  EXPECT_GT(*store_->pending_deletions(), 0);
  EXPECT_TRUE(logged("gc_failed"));
  removals_.refusing = false;
  advance(std::chrono::minutes(16));
  collect();
  EXPECT_TRUE(keys_of("a").empty());
  EXPECT_EQ(*store_->pending_deletions(), 0);
}

TEST_P(CollectorContract, OneTenantIsErasedAndNoOther) {
  const std::string mine = upload('a');
  const std::string theirs = upload('b', "other");
  create_from("theirs", theirs, "other");
  draw("theirs");
  for (int i = 0; i < 25; ++i) create_from("queued" + std::to_string(i), mine);
  create_from("mine", mine);
  put("assets/acme/" + sha('c') + ".png", hours(0));  // nobody's
  put("assets/acme.too/" + sha('c') + ".png", hours(0));
  const Keys kept = [&] {
    Keys all = keys_of("theirs");
    all.insert({theirs, "assets/acme.too/" + sha('c') + ".png"});
    return all;
  }();
  removals_.refusing = true;
  EXPECT_FALSE(eraser_->purge_tenant("acme")) << "what can't be verified is not said to be done";
  removals_.refusing = false;
  advance(std::chrono::minutes(16));
  jobs::Purged purged;
  int calls = 0;
  do {
    purged = *eraser_->purge_tenant("acme");
  } while (!purged.complete() && ++calls < 20);
  EXPECT_GE(calls, 1) << "a call does a bounded part";
  EXPECT_TRUE(purged.complete());
  EXPECT_EQ(keys(), kept);
  EXPECT_EQ(store_->rows_of("acme")->jobs, 0);
  EXPECT_EQ(store_->rows_of("acme")->assets, 0);
  EXPECT_EQ(store_->rows_of("acme")->idempotency_records, 0);
  EXPECT_EQ(store_->rows_of("other")->jobs, 1);
  EXPECT_TRUE(store_->asset("other", theirs));
  EXPECT_TRUE(eraser_->purge_tenant("nobody")->complete());
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
  removals_.refusing = true;  // the storage's time can't be asked either: nothing is old
  collect();
  EXPECT_TRUE(logged("gc_deferred"));
  EXPECT_TRUE(logged("gc_completed"));
  EXPECT_EQ(keys().size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Stores, FullStore, testing::ValuesIn(all_stores()),
                         [](const auto& store) { return store.param.name; });
INSTANTIATE_TEST_SUITE_P(Stores, CollectorContract, testing::ValuesIn(all_stores()),
                         [](const auto& store) { return store.param.name; });

}  // namespace pytoon::testing_support
