// A worker's world in small: a store in memory, a storage on disk, a renderer that draws text.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <sstream>
#include <string>

#include "server/io/file_storage.h"
#include "server/worker/worker.h"
#include "tests/server/jobs/fake_renderer.h"
#include "tests/server/worker/quiet_parts.h"
#include "tests/support/fault_injection.h"

namespace pytoon::worker {
namespace fs = std::filesystem;
using std::chrono::milliseconds;

using testing_support::only_the_compositor;
using testing_support::RecordingMetrics;

class RunFixture : public testing::Test {
 protected:
  void SetUp() override {
    options_.reuse = false;  // its jobs are all alike, and most tests want them drawn
    storage_ = *io::FileStorage::open(root(), 0);
    presets_["product_hero_clean"].engines = {"local_compositor", "local_comfyui", "api"};
  }

  fs::path root() const { return folder_.path() / "storage"; }
  WorkerDependencies parts() {
    return {*store_,  *store_,  *storage_, renderer_, engine_chain_,
            presets_, metrics_, clock_,    log_,      process_};
  }

  // A job with one image, and its image in storage.
  jobs::NewJob order(const std::string& id, int segments = 3) {
    jobs::NewJob order = testing_support::sample_job(id, "acme", 5, segments);
    keep_image("assets/acme/a.png", "picture");
    order.job.spec.assets.images = {"storage://assets/acme/a.png"};
    return order;
  }
  void keep_image(const std::string& key, const std::string& bytes,
                  const std::string& tenant = "acme") {
    const fs::path staged = storage_->staging("image");
    ASSERT_TRUE(write_file_atomically(staged, bytes));
    ASSERT_TRUE(storage_->put(staged, key));
    jobs::AssetRecord asset;
    asset.tenant = tenant;
    asset.key = key;
    asset.sha256 = sha256_hex(bytes);
    ASSERT_TRUE(store_->keep_asset(asset));
  }
  void submit(const jobs::NewJob& order) { ASSERT_TRUE(store_->create(order, {100})); }
  // Its segment, ready to be rendered, crashes as often as makes a suspect.
  void crash_twice(const std::string& id) {
    for (int i = 0; i < 2; ++i) {
      const auto leased = *store_->lease_next(
          {"dying", {jobs::TaskKind::kRender}, {"fake_encoder"}, {}}, milliseconds(1000));
      ASSERT_TRUE(leased);
      ASSERT_EQ(leased->job.id, id);
      ASSERT_TRUE(store_->release(leased->lease, jobs::ReleaseReason::kCrashed, milliseconds(0)));
    }
  }
  void overwrite(const std::string& key, const std::string& bytes) {
    ASSERT_TRUE(write_file_atomically(*storage_->local(key), bytes));
  }

  std::unique_ptr<Worker> worker(const std::string& worker_id = "worker") {
    Options options = options_;
    options.worker_id = worker_id;
    jobs::WorkerInfo facts;
    facts.threads = 1;
    return std::make_unique<Worker>(parts(), *store_, options, facts);
  }
  // What a new process does with what a dead one left.
  std::unique_ptr<Worker> take_over(const std::string& worker_id = "next") {
    EXPECT_TRUE(store_->expire_leases_except(worker_id));
    EXPECT_TRUE(store_->reap());
    return worker(worker_id);
  }
  static void renew_leases(Worker& worker) {
    worker.renew_leases();
    worker.run_maintenance();
  }
  static bool step(Worker& worker) {
    for (std::size_t pool = 0; pool < worker.pools().size(); ++pool) {
      if (worker.step(pool)) return true;
    }
    return false;
  }
  // Of one pool, by its name.
  static bool step(Worker& worker, const std::string& pool) {
    for (std::size_t i = 0; i < worker.pools().size(); ++i) {
      if (worker.pools()[i].name == pool) return worker.step(i);
    }
    ADD_FAILURE() << "there is no pool " << pool;
    return false;
  }
  // Until the job has ended; time passes when there is nothing to do.
  void finish(Worker& worker, const std::string& id = "a", int steps_max = 400) {
    for (int i = 0; i < steps_max && !is_terminal(job(id).status); ++i) {
      if (!step(worker)) clock_.advance(options_.back_off);
    }
    EXPECT_TRUE(is_terminal(job(id).status)) << name_of(job(id).status);
  }
  // Steps until `segments` are DONE.
  void finish_segments(Worker& worker, const std::string& id, int segments) {
    for (int i = 0; i < 100 && done_segments(id) < segments; ++i) step(worker);
    ASSERT_EQ(done_segments(id), segments);
  }
  int done_segments(const std::string& id) {
    int done = 0;
    const auto kept_rows = *store_->segments(id);
    for (const auto& segment : kept_rows) {
      done += segment.status == jobs::SegmentStatus::kDone;
    }
    return done;
  }
  jobs::Job job(const std::string& id) { return *store_->job(id); }
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
  jobs::ProcessHealth process_{log_};
  std::unique_ptr<io::SqlStore> store_ = io::open_memory_store(clock_);
  std::unique_ptr<io::FileStorage> storage_;
  testing_support::FakeRenderer renderer_;
  engines::EngineChain engine_chain_{only_the_compositor(), clock_};
  spec::PresetTable presets_;
  RecordingMetrics metrics_;
  Options options_;
};

}  // namespace pytoon::worker
