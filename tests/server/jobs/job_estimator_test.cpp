// What a dry run foretells, by what is live, measured and configured.
#include <nlohmann/json.hpp>

#include "engines/fake_engine.h"
#include "tests/server/jobs/service_fixture.h"

namespace pytoon::jobs {

using admission::Bytes;
using admission::kGiB;
using admission::kMiB;
using admission::Lane;
using engines::Capabilities;
using engines::FakeEngine;

namespace {

Capabilities clips(std::int64_t micro_usd_per_second = 0, int slots = 1) {
  Capabilities can;
  can.archetypes = {spec::Archetype::kProductHero, spec::Archetype::kOverlay,
                    spec::Archetype::kMemeText};
  can.image_to_video = can.text_to_video = true;
  can.micro_usd_per_second = micro_usd_per_second;
  can.slots = slots;
  can.latency = std::chrono::milliseconds(20'000);
  return can;
}

// A ComfyUI by what it tells of itself.
class FakeComfy final : public engines::Engine {
 public:
  std::string_view name() const override { return "local_comfyui"; }
  bool remote() const override { return false; }
  Capabilities capabilities() const override { return clips(); }
  Result<engines::Quote> quote(const engines::FootageRequest&) const override {
    return engines::Quote{0, std::chrono::milliseconds(30'000), 2, "wan"};
  }
  Status health(const engines::Watch&) override { return ok_status(); }
  Result<plan::SegmentSource> generate(const engines::FootageRequest&,
                                       const engines::Watch&) override {
    return failure(FailureKind::kEngine, "is asked of nothing in a dry run");
  }
};

}  // namespace

class JobEstimatorTest : public JobServiceTest {
 protected:
  void live(const std::string& device_kind, int threads, std::vector<std::string> encoders,
            std::vector<std::string> engines = {}) {
    WorkerInfo worker;
    worker.worker_id = "worker-" + device_kind;
    worker.threads = threads;
    worker.device_kind = device_kind;
    worker.encoders = std::move(encoders);
    worker.engines = std::move(engines);
    ASSERT_TRUE(store_.upsert_worker(worker));
  }
  void card(double total_gib) {
    clock_.advance(std::chrono::milliseconds(250));
    admission::Sample sample;
    sample.at = *store_.promises().now();
    sample.total = static_cast<Bytes>(total_gib * kGiB);
    sample.free = sample.total;
    ASSERT_TRUE(store_.promises().publish("GPU-1", sample));
  }
  void cost(Bytes bytes, std::chrono::milliseconds expected = std::chrono::milliseconds(3000)) {
    renderer_.on_cost = [bytes, expected](int index) -> Result<render::SegmentCost> {
      render::SegmentCost cost;
      cost.encoder_bytes = static_cast<std::uint64_t>(bytes + index * kMiB);
      cost.expected = expected;
      return cost;
    };
  }
  std::unique_ptr<FakeEngine> remote(std::int64_t micro_usd_per_second, int slots = 2) {
    return std::make_unique<FakeEngine>(
        "api",
        FakeEngine::Script{.remote = true, .capabilities = clips(micro_usd_per_second, slots)});
  }
  void have_one(std::unique_ptr<engines::Engine> engine, ServiceLimits limits = {}) {
    std::vector<std::unique_ptr<engines::Engine>> engines;
    engines.push_back(std::move(engine));
    have(std::move(engines));
    make(0, limits);
  }
  JobEstimate told(const json& extra = json::object()) {
    json order = body();
    order.update(extra);
    const auto estimate = service_->estimate(acme_, order);
    EXPECT_TRUE(estimate) << estimate.failure().detail;
    // Whatever it says, it is of the shape that is served.
    if (!estimate) return {};
    EXPECT_EQ(to_json(*estimate)["segments"], estimate->segments.size());
    return *estimate;
  }
  std::string warning(const JobEstimate& estimate, const std::string& pointer) {
    for (const FieldFault& one : estimate.warnings) {
      if (one.pointer == pointer) return one.detail;
    }
    return "";
  }
  // One segment of another job, drawn in `seconds`, its others left open.
  void draw_one(double seconds) {
    ASSERT_TRUE(service_->submit(other_, body(), ""));
    prepare(take(), 0);
    const LeasedTask drawing = take();
    Segment segment = drawing.segments.at(0);
    segment.status = SegmentStatus::kDone;
    ASSERT_TRUE(store_.segment_done(drawing.lease, segment, seconds));
  }
};

TEST_F(JobEstimatorTest, StoresNothingAndRefusesWhatASubmissionRefuses) {
  told();
  EXPECT_EQ(store_.list(std::nullopt, {})->jobs.size(), 0U);
  EXPECT_EQ(store_.queued("acme")->all, 0);
  EXPECT_EQ(metrics_.created, 0);
  EXPECT_EQ(notifier_.notified, 0);
  EXPECT_EQ(lines_.str().find("job_created"), std::string::npos);

  const auto kind = [&](const json& order, const Caller& caller) {
    const auto estimate = service_->estimate(caller, order);
    return estimate ? FailureKind::kInternal : estimate.failure().kind;
  };
  EXPECT_EQ(kind(body(), {"acme", false, true, false}), FailureKind::kForbidden);
  EXPECT_EQ(kind({{"preset_id", "none"}}, acme_), FailureKind::kMalformed);
  EXPECT_EQ(kind({{"preset_id", "meme_fast"}, {"target_duration_seconds", 61}}, acme_),
            FailureKind::kInvalid);
  json order = body();
  order["image_uris"] = {"storage://assets/acme/none.png"};
  EXPECT_EQ(service_->estimate(acme_, order).failure().faults.at(0).pointer, "/image_uris/0");
  order = body();
  order["prompt"] = "snow \u2603";
  EXPECT_EQ(service_->estimate(acme_, order).failure().faults.at(0).pointer, "/prompt");
  health_.draining_now = true;
  EXPECT_EQ(kind(body(), acme_), FailureKind::kUnavailable);
  health_.draining_now = false;
  ServiceLimits limits;
  limits.queued_jobs = 1;
  make(0, limits);
  ASSERT_TRUE(service_->submit(acme_, body(), ""));
  EXPECT_EQ(kind(body(), acme_), FailureKind::kRateLimited);
  make(std::uintmax_t{1} << 60, {});
  EXPECT_EQ(kind(body(), acme_), FailureKind::kStorageFull);
}

TEST_F(JobEstimatorTest, WithoutAWorkerItSaysThatItDoesNotKnow) {
  const JobEstimate estimate = told();
  EXPECT_EQ(estimate.preset_id, "product_hero_clean");
  EXPECT_EQ(estimate.archetype, "PRODUCT_HERO");
  ASSERT_EQ(estimate.segments.size(), 5U);
  EXPECT_EQ(estimate.segments[4].duration_seconds, 3);
  EXPECT_EQ(estimate.segments[0].engine, "local_compositor");
  EXPECT_FALSE(estimate.segments[0].footage_lane);
  EXPECT_FALSE(estimate.segments[0].compositor_lane);
  EXPECT_FALSE(estimate.render.bytes);
  EXPECT_FALSE(estimate.wait.seconds);
  EXPECT_FALSE(estimate.run.seconds);
  for (const std::string& basis :
       {estimate.render.basis, estimate.wait.basis, estimate.run.basis}) {
    EXPECT_NE(basis.find("no worker is live"), std::string::npos) << basis;
  }
  EXPECT_EQ(estimate.generate.bytes, 0);
  EXPECT_EQ(estimate.micro_usd_max, 0);
  EXPECT_NE(warning(estimate, "").find("no worker is live"), std::string::npos);
}

TEST_F(JobEstimatorTest, OnTheCpuNoMemoryOfACardIsTaken) {
  cost(0);
  live("cpu", 2, {"libx264"});
  const JobEstimate estimate = told();
  EXPECT_EQ(estimate.segments[0].compositor_lane, Lane::kCpu);
  EXPECT_FALSE(estimate.segments[0].render_bytes);
  EXPECT_EQ(estimate.render.bytes, 0);
  EXPECT_EQ(estimate.wait.seconds, 0);
  EXPECT_EQ(estimate.wait.basis, "nothing waits");
  EXPECT_EQ(estimate.run.seconds, 7.5);  // 5 segments of 3 s on 2 threads
  EXPECT_NE(estimate.run.basis.find("by the number of pixels"), std::string::npos);
  EXPECT_TRUE(estimate.warnings.empty());
}

TEST_F(JobEstimatorTest, OnACardEachSegmentSaysWhatItTakes) {
  cost(500 * kMiB);
  live("cuda", 4, {"h264_nvenc", "libx264"});
  card(24);
  const JobEstimate estimate = told();
  EXPECT_EQ(estimate.segments[0].compositor_lane, Lane::kRender);
  EXPECT_EQ(estimate.segments[0].render_bytes, 500 * kMiB);
  EXPECT_EQ(estimate.segments[3].render_bytes, 503 * kMiB);
  EXPECT_EQ(estimate.render.bytes, 504 * kMiB);
  EXPECT_NE(estimate.render.basis.find("h264_nvenc"), std::string::npos);
  EXPECT_TRUE(estimate.warnings.empty());
}

TEST_F(JobEstimatorTest, WhatFitsOnNoCardIsComposedOnTheCpu) {
  cost(2 * kGiB);
  live("cuda", 4, {"h264_nvenc", "libx264"});
  card(2);
  const JobEstimate estimate = told();
  EXPECT_EQ(estimate.segments[0].compositor_lane, Lane::kCpu);
  EXPECT_FALSE(estimate.segments[0].render_bytes);
  EXPECT_EQ(estimate.render.bytes, 0);
  EXPECT_NE(warning(estimate, "").find("the largest can give 2.0 GiB"), std::string::npos);
}

TEST_F(JobEstimatorTest, ACardThatNobodyMeasuresLeavesItOpen) {
  cost(2 * kGiB);
  live("cuda", 4, {"h264_nvenc", "libx264"});
  card(2);
  clock_.advance(std::chrono::seconds(3));
  const JobEstimate estimate = told();
  EXPECT_EQ(estimate.segments[0].compositor_lane, Lane::kRender);
  EXPECT_NE(warning(estimate, "").find("no card was measured"), std::string::npos);
}

TEST_F(JobEstimatorTest, ThePaceOfLateTellsWaitAndRun) {
  cost(0);
  live("cpu", 2, {"libx264"});
  draw_one(6);
  JobEstimate estimate = told();
  EXPECT_EQ(estimate.wait.seconds, 12);  // 4 segments of 6 s on 2 threads
  EXPECT_NE(estimate.wait.basis.find("4 segments of others at 6.0 s each"), std::string::npos)
      << estimate.wait.basis;
  EXPECT_EQ(estimate.run.seconds, 15);  // 5 of them
  EXPECT_NE(estimate.run.basis.find("pace of late"), std::string::npos);
  estimate = told({{"target_duration_seconds", 3}});
  EXPECT_EQ(estimate.run.seconds, 6);  // one segment is drawn by one thread
}

TEST_F(JobEstimatorTest, AQueueWithoutAPaceHasNoExpectedWait) {
  live("cpu", 2, {"libx264"});
  ASSERT_TRUE(service_->submit(other_, body(), ""));
  const JobEstimate estimate = told();
  EXPECT_FALSE(estimate.wait.seconds);
  EXPECT_NE(estimate.wait.basis.find("the pace is not known"), std::string::npos);
}

TEST_F(JobEstimatorTest, ARemoteEngineCostsMoney) {
  have_one(remote(2000), {.estimate = {.micro_usd_per_job_max = 1'000'000}});
  cost(0);
  live("cpu", 5, {"libx264"}, {"api"});
  const JobEstimate estimate = told({{"engine_policy", "api_only"}});
  EXPECT_EQ(estimate.segments[0].engine, "api");
  EXPECT_EQ(estimate.segments[0].footage_lane, Lane::kApi);
  EXPECT_EQ(estimate.segments[0].compositor_lane, Lane::kCpu);
  EXPECT_EQ(estimate.micro_usd, 5 * 3 * 2000);
  EXPECT_EQ(estimate.micro_usd_max, 5 * 3 * 2000);
  EXPECT_EQ(estimate.run.seconds, 3 + 5 * 20 / 2);  // drawn side by side; two orders at once
  EXPECT_NE(estimate.run.basis.find("5 clips by api, 20.0 s each"), std::string::npos);
  EXPECT_EQ(estimate.generate.bytes, 0);
  // What it would never fall to costs nothing.
  EXPECT_EQ(told({{"engine_policy", "local_only"}}).micro_usd_max, 0);
  const JobEstimate local = told({{"engine_policy", "local_preferred"}});
  EXPECT_EQ(local.micro_usd, 0);
  EXPECT_EQ(local.micro_usd_max, 5 * 3 * 2000);
}

TEST_F(JobEstimatorTest, NoJobCostsMoreThanItsCap) {
  have_one(remote(2000), {.estimate = {.micro_usd_per_job_max = 7000}});
  live("cpu", 5, {"libx264"}, {"api"});
  const JobEstimate estimate = told({{"engine_policy", "api_only"}});
  EXPECT_EQ(estimate.micro_usd, 7000);
  EXPECT_EQ(estimate.micro_usd_max, 7000);
  EXPECT_NE(warning(estimate, "/preset_id").find("more than a job may"), std::string::npos);
}

TEST_F(JobEstimatorTest, AnEngineThatNoLiveWorkerHasIsPassedOver) {
  have_one(remote(2000), {.estimate = {.micro_usd_per_job_max = 1'000'000}});
  live("cpu", 5, {"libx264"});
  const JobEstimate estimate = told({{"engine_policy", "api_only"}});
  EXPECT_EQ(estimate.segments[0].engine, "template");
  EXPECT_EQ(estimate.micro_usd, 0);
  EXPECT_EQ(warning(estimate, "/preset_id"),
            "api makes no footage of it: no live worker has this engine");
  EXPECT_NE(warning(estimate, "/engine_policy").find("plain cards"), std::string::npos);
}

TEST_F(JobEstimatorTest, APromptsMemoryIsItsWorkflowsProfile) {
  admission::Profile wan;
  wan.workflow = "wan";
  wan.weights = 8 * kGiB;
  wan.prior_full = 4 * kGiB;
  wan.prior_tiled = 2 * kGiB;
  have_one(std::make_unique<FakeComfy>(), {.estimate = {.workflows = {{"wan", wan}}}});
  catalogue_.presets.at("product_hero_clean").engines = {"local_comfyui"};
  cost(100 * kMiB);
  live("cuda", 5, {"h264_nvenc"}, {"local_comfyui"});
  card(24);
  JobEstimate estimate = told({{"brand_safe", false}});
  EXPECT_EQ(estimate.segments[0].engine, "local_comfyui");
  EXPECT_EQ(estimate.segments[0].footage_lane, Lane::kGenerate);
  ASSERT_TRUE(estimate.generate.bytes);
  const Bytes first = *estimate.generate.bytes;
  EXPECT_EQ(estimate.segments[0].generate_bytes, first);
  EXPECT_GE(first, 12 * kGiB);
  EXPECT_NE(estimate.generate.basis.find("no run was seen yet"), std::string::npos);
  EXPECT_EQ(estimate.run.seconds, 3 + 5 * 30 / 2);  // prompts on two servers
  ASSERT_TRUE(store_.profiles().learn(wan, {admission::Shape::kFull, 8 * kGiB}, {}));
  estimate = told({{"brand_safe", false}});
  EXPECT_GT(*estimate.generate.bytes, first);
  EXPECT_NE(estimate.generate.basis.find("learned from 1 run:"), std::string::npos);
  card(8);
  EXPECT_NE(warning(told({{"brand_safe", false}}), "/preset_id").find("on any card"),
            std::string::npos);
}

TEST_F(JobEstimatorTest, WhatOneWouldNotExpectIsAWarningAtItsField) {
  cost(0);
  live("cpu", 2, {"libx264"});
  const std::string one = keep(acme_, "png 10 20");
  const std::string two = keep(acme_, "png 11 20");
  const std::string clip = keep(acme_, "mp4 10 20 2.5", "video");
  const JobEstimate hidden =
      told({{"target_duration_seconds", 3}, {"image_uris", {one, two}}, {"clip_uris", {clip}}});
  ASSERT_EQ(hidden.warnings.size(), 2U);
  EXPECT_NE(warning(hidden, "/image_uris/1").find("is not shown"), std::string::npos);
  EXPECT_NE(warning(hidden, "/clip_uris/0").find("is not shown"), std::string::npos);
  EXPECT_TRUE(told({{"target_duration_seconds", 9}, {"image_uris", {one, two}}}).warnings.empty());
  const JobEstimate calmed = told({{"preset_id", "product_hero_punchy"}, {"brand_safe", true}});
  EXPECT_NE(warning(calmed, "/brand_safe").find("punchy"), std::string::npos);
}

TEST_F(JobEstimatorTest, AnEngineThatWouldRedrawTheProductBlamesBrandSafety) {
  Capabilities can = clips();
  can.redraws = true;
  have_one(std::make_unique<FakeEngine>("local_comfyui", FakeEngine::Script{.capabilities = can}));
  catalogue_.presets.at("product_hero_clean").engines = {"local_comfyui", "local_compositor"};
  live("cpu", 2, {"libx264"}, {"local_comfyui"});
  const std::string image = keep(acme_);
  const JobEstimate estimate = told({{"image_uris", {image}}, {"brand_safe", true}});
  EXPECT_EQ(estimate.segments[0].engine, "local_compositor");
  EXPECT_NE(warning(estimate, "/brand_safe").find("brand-safe"), std::string::npos);
  EXPECT_EQ(told({{"image_uris", {image}}, {"brand_safe", false}}).segments[0].engine,
            "local_comfyui");
}

TEST_F(JobEstimatorTest, AFullQueueTellsWhenItHasRoom) {
  EXPECT_EQ(service_->retry_after(), std::chrono::seconds(60));  // nobody draws
  live("cpu", 2, {"libx264"});
  draw_one(6);
  ASSERT_TRUE(service_->submit(acme_, body(), ""));
  // 9 open segments of 6 s on 2 threads; the one job that waits is all of the queue.
  EXPECT_EQ(service_->retry_after(), std::chrono::seconds(27));
}

}  // namespace pytoon::jobs
