// A worker's world in small: a store in memory, a storage on disk, a renderer that draws text.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "engines/local_compositor.h"
#include "server/io/file_storage.h"
#include "server/jobs/memory_job_store.h"
#include "server/worker/job_run.h"
#include "tests/server/jobs/fake_renderer.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::worker {
namespace fs = std::filesystem;
using std::chrono::milliseconds;

class RecordingMetrics final : public jobs::JobMetrics {
 public:
  void job_created(spec::Archetype, const std::string&) override {}
  void job_done(spec::Archetype, double) override { ++done; }
  void job_failed(spec::Archetype, const std::string& reason) override { count(failed, reason); }
  void segment_rendered(const std::string& engine, double) override { count(segments, engine); }
  void fallback_used(const std::string& type) override { count(fallbacks, type); }
  void degraded(const std::string& from, const std::string& to) override {
    count(switches, from + " to " + to);
  }

  std::atomic<int> done{0};
  // Read when no run is at work.
  std::map<std::string, int> failed;
  std::map<std::string, int> segments;
  std::map<std::string, int> fallbacks;
  std::map<std::string, int> switches;

 private:
  void count(std::map<std::string, int>& counts, const std::string& label) {
    const std::lock_guard lock(mutex_);
    ++counts[label];
  }

  std::mutex mutex_;
};

inline std::vector<std::unique_ptr<engines::Engine>> only_the_compositor() {
  std::vector<std::unique_ptr<engines::Engine>> engines;
  engines.push_back(std::make_unique<engines::LocalCompositor>());
  return engines;
}

class RunFixture : public testing::Test {
 protected:
  void SetUp() override {
    storage_ = *io::FileStorage::open(root(), 0);
    presets_["product_hero_clean"].engines = {"local_compositor", "local_comfyui", "api"};
  }

  fs::path root() const { return folder_.path() / "storage"; }
  RunParts parts() {
    return {store_, *storage_, renderer_, ladder_, presets_, metrics_, clock_, log_};
  }

  // A job with one image, and its image in storage.
  jobs::NewJob order(const std::string& id, int segments = 3) {
    jobs::NewJob order = testing_support::sample_job(id, "acme", 5, segments);
    keep_image("assets/acme/a.png", "picture");
    order.job.spec.assets.images = {"storage://assets/acme/a.png"};
    return order;
  }
  void keep_image(const std::string& key, const std::string& bytes) {
    const fs::path staged = storage_->staging("image");
    ASSERT_TRUE(write_file_atomically(staged, bytes));
    ASSERT_TRUE(storage_->put(staged, key));
    jobs::AssetRecord asset;
    asset.tenant = "acme";
    asset.key = key;
    asset.sha256 = sha256_hex(bytes);
    ASSERT_TRUE(store_.keep_asset(asset));
  }
  void submit(const jobs::NewJob& order) { ASSERT_TRUE(store_.create(order, 100)); }
  void overwrite(const std::string& key, const std::string& bytes) {
    ASSERT_TRUE(write_file_atomically(*storage_->local(key), bytes));
  }

  std::unique_ptr<JobRun> lease(const std::string& holder = "worker") {
    auto claim = store_.lease_next(holder, milliseconds(20'000));
    EXPECT_TRUE(claim && *claim) << "nothing to lease";
    return std::make_unique<JobRun>(std::move(**claim), parts(), options_);
  }
  // What a new process does with what a dead one left.
  std::unique_ptr<JobRun> take_over(const std::string& holder = "next") {
    EXPECT_TRUE(store_.expire_leases_except(holder));
    return lease(holder);
  }
  static void finish(JobRun& run, int steps_max = 200) {
    for (int i = 0; i < steps_max && !run.over(); ++i) {
      ASSERT_NE(run.step(), JobRun::Step::kNothing);
    }
    EXPECT_TRUE(run.over());
  }
  // Steps until `segments` are DONE.
  void finish_segments(JobRun& run, const std::string& id, int segments) {
    for (int i = 0; i < 100 && done_segments(id) < segments; ++i) run.step();
    ASSERT_EQ(done_segments(id), segments);
  }
  int done_segments(const std::string& id) {
    int done = 0;
    const auto kept_rows = *store_.segments(id);
    for (const auto& segment : kept_rows) {
      done += segment.status == jobs::SegmentStatus::kDone;
    }
    return done;
  }
  jobs::Job job(const std::string& id) { return *store_.job(id); }
  std::string read(const std::string& key) { return *read_file(*storage_->local(key)); }
  // Every file below a folder of the storage: path -> bytes.
  std::map<std::string, std::string> files(const std::string& folder) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(root() / folder)) {
      if (!entry.is_regular_file()) continue;
      found[entry.path().lexically_relative(root()).string()] = *read_file(entry.path());
    }
    return found;
  }
  int logged(const std::string& event) const {
    const std::string text = lines_.str();
    const std::string sought = "\"event\":\"" + event + "\"";
    int count = 0;
    for (auto at = text.find(sought); at != std::string::npos; at = text.find(sought, at + 1)) {
      ++count;
    }
    return count;
  }

  testing_support::HandClock clock_;
  testing_support::TemporaryFolder folder_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  jobs::MemoryJobStore store_{clock_};
  std::unique_ptr<io::FileStorage> storage_;
  testing_support::FakeRenderer renderer_;
  engines::Ladder ladder_{only_the_compositor(), clock_};
  spec::PresetTable presets_;
  RecordingMetrics metrics_;
  RunOptions options_;
};

}  // namespace pytoon::worker
