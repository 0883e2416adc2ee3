// A JobService on a store in memory and a storage in a temporary folder, with counting neighbours.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <sstream>

#include "engines/local_compositor.h"
#include "server/io/file_storage.h"
#include "server/io/open_store.h"
#include "server/jobs/job_service.h"
#include "tests/server/jobs/fake_renderer.h"
#include "tests/server/jobs/quiet_metrics.h"
#include "tests/server/jobs/samples.h"
#include "tests/support/source_dir.h"

namespace pytoon::jobs {
namespace fs = std::filesystem;
using nlohmann::json;

// Knows a picture by its first word: "png 10 20 alpha".
class FakeInspector final : public MediaInspector {
 public:
  Result<media::MediaInfo> inspect_image(const fs::path& file) override {
    std::istringstream words(*read_file(file));
    media::MediaInfo info;
    std::string alpha;
    words >> info.format >> info.size.width >> info.size.height >> alpha;
    info.has_alpha = alpha == "alpha";
    if (info.format == "broken") return failure(FailureKind::kMalformed, "is truncated");
    if (info.format == "text") return failure(FailureKind::kUnsupportedType, "is no picture");
    if (info.size.width > 4096) return failure(FailureKind::kInvalid, "is over 4096 px");
    return info;
  }
  // "mp4 10 20 2.5": width, height, seconds.
  Result<media::MediaInfo> inspect_clip(const fs::path& file) override {
    std::istringstream words(*read_file(file));
    media::MediaInfo info;
    words >> info.format >> info.size.width >> info.size.height >> info.duration_seconds;
    if (info.format == "broken") return failure(FailureKind::kMalformed, "is damaged");
    if (info.format != "mp4") return failure(FailureKind::kUnsupportedType, "is no clip");
    if (info.duration_seconds > 120) return failure(FailureKind::kInvalid, "is too long");
    return info;
  }
  // And audio: "mp3 12.5 2 44100".
  Result<media::MediaInfo> inspect_audio(const fs::path& file) override {
    std::istringstream words(*read_file(file));
    media::MediaInfo info;
    words >> info.format >> info.duration_seconds >> info.channels >> info.sample_rate;
    if (info.format == "broken") return failure(FailureKind::kMalformed, "is truncated");
    if (info.duration_seconds > 900) return failure(FailureKind::kInvalid, "is too long");
    return info;
  }
};

class FakeHealth final : public HealthSource {
 public:
  Service::Readiness readiness() override { return {{"draining"}, {}}; }
  bool draining() const override { return draining_now; }
  bool draining_now = false;
};

class CountingNotifier final : public WorkNotifier {
 public:
  void notify() override { ++notified; }
  int notified = 0;
};

class CountingMetrics final : public testing_support::QuietMetrics {
 public:
  void job_created(spec::Archetype, const std::string&) override { ++created; }
  void job_failed(spec::Archetype, const std::string& reason) override { ++failures[reason]; }
  void job_cancelled(spec::Archetype) override { ++cancelled; }
  void job_retried(spec::Archetype) override { ++retried; }
  int created = 0;
  int cancelled = 0;
  int retried = 0;
  std::map<std::string, int> failures;
};

// Says what it was asked for.
class FakePreviewer final : public FramePreviewer {
 public:
  Result<std::string> strip_jpeg(const NewJob& job, const std::vector<int>& frames) override {
    std::string said = job.job.tenant;
    for (const int frame : frames) said += " " + std::to_string(frame);
    return said;
  }
};

class JobServiceTest : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path config = support::source_dir() / "config";
    catalogue_.presets = *spec::read_presets(config / "presets.yaml");
    catalogue_.platforms = *spec::read_platforms(config / "platforms.yaml");
    make(0, {});
  }

  void make(std::uintmax_t free_bytes_min, ServiceLimits limits) {
    service_.reset();
    if (!engine_chain_) have({});
    storage_.reset();
    storage_ = *io::FileStorage::open(folder_.path() / "storage", free_bytes_min);
    eraser_ = std::make_unique<Eraser>(store_, store_, *storage_, gc_metrics_, log_);
    service_ = std::make_unique<JobService>(
        ServiceParts{store_, store_, store_, *storage_, images_made_, renderer_, catalogue_,
                     notifier_, metrics_, health_, *eraser_, ids_, clock_, log_, store_.promises(),
                     store_.profiles(), *engine_chain_, store_.keys(), previewer_},
        limits);
  }

  // Beside the compositor. Before make().
  void have(std::vector<std::unique_ptr<engines::Engine>> engines) {
    service_.reset();
    engines.push_back(std::make_unique<engines::LocalCompositor>());
    engine_chain_ = std::make_unique<engines::EngineChain>(std::move(engines), clock_);
  }

  Upload upload(const std::string& bytes, const std::string& category = "image") {
    const fs::path file = folder_.path() / "upload";
    EXPECT_TRUE(write_file_atomically(file, bytes));
    return {file, category, "../../cat.png"};
  }
  std::string keep(const Caller& caller, const std::string& bytes = "png 10 20",
                   const std::string& category = "image") {
    const auto asset = service_->keep_asset(caller, upload(bytes, category));
    EXPECT_TRUE(asset) << asset.failure().detail;
    return asset->uri;
  }
  Failure refusal(const json& body, const std::string& key = "") {
    const auto submitted = service_->submit(acme_, body, key);
    EXPECT_FALSE(submitted) << body;
    return submitted ? Failure{} : submitted.failure();
  }
  void expect_fault(const json& body, FailureKind kind, const std::string& pointer) {
    const Failure refused = refusal(body);
    EXPECT_EQ(refused.kind, kind) << refused.detail;
    ASSERT_FALSE(refused.faults.empty()) << refused.detail;
    EXPECT_EQ(refused.faults[0].pointer, pointer);
    EXPECT_EQ(store_.list(std::nullopt, {})->jobs.size(), 0U);
  }
  // Leases the next task, whatever it is.
  LeasedTask take() {
    const LeaseRequest request{
        "worker", {TaskKind::kPrepare, TaskKind::kRender, TaskKind::kFinish}, {"x264"}};
    const auto leased = store_.lease_next(request, std::chrono::seconds(20));
    EXPECT_TRUE(leased && *leased);
    return **leased;
  }
  // As a worker's first task does; `done` segments are kept of an earlier run.
  void prepare(const LeasedTask& leased, int done) {
    PrepareResult preparation{"x264", leased.segments, false};
    for (Segment& segment : preparation.segments) {
      segment.footage = plan::SourceKind::kImages;
      if (segment.index < done) segment.status = SegmentStatus::kDone;
    }
    ASSERT_TRUE(store_.prepared(leased.lease, preparation));
  }
  // The whole job, without drawing anything.
  void finish_next(const std::string& output_folder = "") {
    const LeasedTask first = take();
    prepare(first, static_cast<int>(first.segments.size()));
    ASSERT_TRUE(store_.finished(take().lease, output_folder));
  }
  void put_file(const std::string& key) {
    const fs::path staged = storage_->staging("file");
    ASSERT_TRUE(write_file_atomically(staged, "bytes"));
    ASSERT_TRUE(storage_->put(staged, key));
  }
  json body() { return {{"preset_id", "product_hero_clean"}, {"prompt", "Fresh"}}; }

  const Caller acme_{"acme", true, true, false};
  const Caller other_{"other", true, true, false};
  const Caller admin_{"ops", false, false, true};
  testing_support::HandClock clock_;
  testing_support::TemporaryFolder folder_;
  testing_support::CountingIds ids_;
  testing_support::FakeRenderer renderer_;
  plan::Catalogue catalogue_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  std::unique_ptr<io::SqlStore> owned_store_ = io::open_memory_store(clock_);
  io::SqlStore& store_ = *owned_store_;
  FakeInspector images_made_;
  FakeHealth health_;
  CountingNotifier notifier_;
  CountingMetrics metrics_;
  std::unique_ptr<io::FileStorage> storage_;
  testing_support::CountingGcMetrics gc_metrics_;
  std::unique_ptr<Eraser> eraser_;
  std::unique_ptr<engines::EngineChain> engine_chain_;
  FakePreviewer previewer_;
  std::unique_ptr<JobService> service_;
};

}  // namespace pytoon::jobs
