// A store under test, a storage (on disk, unless a test says otherwise) that can be made to refuse,
// and an eraser over both: what tests of garbage collection and of deletions need, on every
// database.
#pragma once

#include <memory>
#include <set>
#include <sstream>
#include <string>

#include "base/files.h"
#include "server/io/file_storage.h"
#include "server/jobs/asset_keeper.h"
#include "server/jobs/garbage_collector.h"
#include "tests/server/io/store_fixture.h"
#include "tests/support/fault_injection.h"

namespace pytoon::testing_support {
namespace fs = std::filesystem;
using jobs::Segment;
using jobs::TaskKind;
using std::chrono::hours;
using Keys = std::set<std::string>;

inline constexpr hours kDay{24};
inline constexpr hours kOld{100};  // of an object: past the grace age

// Refuses all while it is told to.
class RefusedStorage final : public FaultPlan {
 public:
  Answer before_call() override { return refusing ? Answer::kRefuse : Answer::kGoOn; }
  void after_call() override {}
  bool refusing = false;
};

inline std::string sha(char letter) { return std::string(64, letter); }

class CollectorFixture : public StoreContract {
 protected:
  void SetUp() override {
    StoreContract::SetUp();
    storage_ = std::make_unique<FaultInjectingStorage>(objects(), refusal_);
    eraser_ = std::make_unique<jobs::Eraser>(*store_, *store_, *storage_, deletions_, log_);
  }

  // Where the objects lie.
  virtual jobs::ObjectStore& objects() {
    if (!disk_) disk_ = *io::FileStorage::open(folder_.path() / "storage", 0);
    return *disk_;
  }
  void put(const std::string& key, hours age = kOld) {
    const fs::path staged = objects().staging("file");
    ASSERT_TRUE(write_file_atomically(staged, "bytes"));
    ASSERT_TRUE(objects().put(staged, key));
    storage_->ages[key] = age;
  }
  void link(const std::string& target, const std::string& key) {
    ASSERT_TRUE(objects().link(target, key));
    storage_->ages[key] = kOld;
  }
  std::string upload(char letter, const std::string& tenant = "acme", hours age = kOld) {
    jobs::AssetRecord asset;
    asset.tenant = tenant;
    asset.sha256 = sha(letter);
    asset.key = jobs::asset_folder(tenant) + asset.sha256 + ".png";
    asset.category = "image";
    asset.media.format = "png";
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
    link(segment.artifact_key, jobs::segment_link_key(id, 0));
  }
  void finish() {
    const jobs::LeasedTask finish = lease(TaskKind::kFinish);
    const std::string folder =
        jobs::output_folder_of(finish.job.id, finish.job.run, finish.lease.epoch);
    for (const char* file : jobs::kOutputFiles) {
      put(folder + "/" + file);
      link(folder + "/" + file, jobs::job_file_key(finish.job.id, file));
    }
    ASSERT_TRUE(store_->finished(finish.lease, folder));
  }
  // By the store's own clock: a change by hand is dated by the machine's.
  void fail(const std::string& id) { ASSERT_TRUE(store_->force_fail(id, "x")); }
  void tell_all() {
    const auto taken = store_->take_events({100, std::chrono::seconds(60), {}});
    for (const jobs::Event& event : *taken) {
      ASSERT_TRUE(store_->event_delivered(event));
    }
  }
  Keys keys() {
    Keys found;
    const auto listed = objects().list("");
    for (const auto& object : *listed) found.insert(object.key);
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
  // Also those that are leased to somebody.
  std::size_t pending_deletions() {
    advance(std::chrono::minutes(16));
    return store_->take_deletions(1000, kAtOnce)->size();
  }
  bool logged(const std::string& text) { return lines_.str().find(text) != std::string::npos; }

  std::ostringstream lines_;
  Log log_{clock_, lines_};
  CountingGcMetrics deletions_;
  RefusedStorage refusal_;
  std::unique_ptr<io::FileStorage> disk_;
  std::unique_ptr<FaultInjectingStorage> storage_;
  std::unique_ptr<jobs::Eraser> eraser_;
};

}  // namespace pytoon::testing_support
