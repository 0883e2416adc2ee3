#include "server/worker/segment_footage.h"

#include <gtest/gtest.h>

#include "engines/fake_engine.h"
#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
namespace {

// A run whose preset asks for an engine that makes clips.
class SegmentFootageTest : public RunFixture {
 protected:
  void SetUp() override {
    RunFixture::SetUp();
    presets_["product_hero_clean"].engines = {"local_comfyui"};
    engines::FakeEngine::Script script;
    script.capabilities.archetypes = {spec::Archetype::kProductHero, spec::Archetype::kOverlay,
                                      spec::Archetype::kMemeText};
    script.capabilities.image_to_video = true;
    script.generate = [this](const engines::FootageRequest& request,
                             const engines::Watch& watch) -> Result<plan::SegmentSource> {
      left_.push_back(
          std::chrono::round<std::chrono::seconds>(watch.deadline - clock_.steady_now()));
      clock_.advance(std::min<milliseconds>(takes_, left_.back()));
      if (takes_ > left_.back()) return failure(FailureKind::kTimeout, "out of time");
      ++made_;
      if (thinks_) thinks_(watch);
      if (watch.cancel.cancelled()) {
        return failure(FailureKind::kCancelled, "cancelled");
      }
      images_.push_back(request.image ? request.image->sha256 : "");
      const std::string bytes = "clip " + request.key();
      EXPECT_TRUE(write_file_atomically(request.output, bytes));
      plan::SegmentSource supplied(plan::SourceKind::kClip);
      supplied.clip = plan::InputFile{request.output, sha256_hex(bytes)};
      return supplied;
    };
    std::vector<std::unique_ptr<engines::Engine>> all = only_the_compositor();
    all.push_back(std::make_unique<engines::FakeEngine>("local_comfyui", script));
    engines_ = std::make_unique<engines::EngineChain>(std::move(all), clock_);
  }
  std::unique_ptr<Worker> worker_with_engine(const std::string& worker_id) {
    return worker_with_engine(worker_id, *storage_);
  }
  std::unique_ptr<Worker> worker_with_engine(const std::string& worker_id,
                                             jobs::ObjectStore& storage) {
    Options options = options_;
    options.worker_id = worker_id;
    const WorkerDependencies with{*store_,  *store_,  storage, renderer_, *engines_,
                                  presets_, metrics_, clock_,  log_,      process_};
    return std::make_unique<Worker>(with, *store_, options, jobs::WorkerInfo{});
  }

  std::vector<std::chrono::seconds> left_;  // to the deadline of each call
  milliseconds takes_{0};
  int made_ = 0;
  std::function<void(const engines::Watch&)> thinks_;
  std::vector<std::string> images_;
  std::unique_ptr<engines::EngineChain> engines_;
};

TEST_F(SegmentFootageTest, AJobIsDrawnFromItsClipsAndKeepsNone) {
  submit(order("a", 3));
  finish(*worker_with_engine("worker"));
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone) << job("a").error;
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_EQ(made_, 3);
  const auto segments = *store_->segments("a");
  for (const jobs::Segment& segment : segments) {
    EXPECT_EQ(segment.engine_used, "local_comfyui");
    EXPECT_EQ(segment.footage, plan::SourceKind::kClip);
  }
  EXPECT_EQ(images_, std::vector<std::string>(3, sha256_hex("picture")));
  EXPECT_TRUE(files("footage").empty());
}

TEST_F(SegmentFootageTest, WhatWasMadeIsUsedByWhoeverComesNext) {
  submit(order("a", 3));
  finish_segments(*worker_with_engine("dead"), "a", 1);
  EXPECT_EQ(made_, 3);
  ASSERT_TRUE(store_->expire_leases_except("next"));
  ASSERT_TRUE(store_->reap());
  finish(*worker_with_engine("next"));
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_EQ(made_, 3);
  EXPECT_EQ(renderer_.calls(0), 1);
}

// What a job costs storage grows with its segments, not with their square.
TEST_F(SegmentFootageTest, ATaskAsksStorageForItsOwnClipsOnly) {
  std::vector<int> calls;
  for (const int segments : {10, 20}) {
    testing_support::CallCounter counter;
    testing_support::FaultInjectingStorage counted(*storage_, counter);
    jobs::NewJob wish = order("job" + std::to_string(segments), segments);
    wish.job.spec.captions_plan.timings.clear();
    submit(wish);
    finish(*worker_with_engine("worker", counted), wish.job.id);
    EXPECT_EQ(job(wish.job.id).status, jobs::JobStatus::kDone) << job(wish.job.id).error;
    calls.push_back(counter.calls);
  }
  EXPECT_LE(calls[1], 2 * calls[0]);
}

TEST_F(SegmentFootageTest, EnginesAreWaitedForByOtherThreadsThanThoseThatDraw) {
  submit(order("a", 2));
  const auto subject = worker_with_engine("worker");
  EXPECT_TRUE(step(*subject, "render"));  // prepare
  EXPECT_FALSE(step(*subject, "render"));
  EXPECT_TRUE(step(*subject, "engine:local_comfyui"));
  EXPECT_FALSE(step(*subject, "render"));  // a fade may need the other one
  EXPECT_TRUE(step(*subject, "engine:local_comfyui"));
  EXPECT_TRUE(step(*subject, "render"));
}

TEST_F(SegmentFootageTest, AnEnginesProgressIsTheJobsAndIsWrittenOnceASecond) {
  submit(order("a", 2));
  const auto subject = worker_with_engine("worker");
  std::vector<int> seen;
  std::vector<std::int64_t> versions;
  thinks_ = [&](const engines::Watch& watch) {
    for (const double share : {0.2, 0.4, 0.6, 0.8, 1.0}) {
      watch.progress(share);
      subject->run_maintenance();
      seen.push_back(job("a").progress_pct);
      versions.push_back(job("a").version);
      if (share > 0.5) clock_.advance(milliseconds(1000));
    }
  };
  ASSERT_TRUE(step(*subject, "render"));  // prepare
  ASSERT_TRUE(step(*subject, "engine:local_comfyui"));
  // The clip is half of one of two segments: 23 of the 95 % that drawing is.
  EXPECT_EQ(seen, (std::vector<int>{4, 4, 4, 19, 23}));
  EXPECT_EQ(versions[2], versions[0]) << "written more often than once a second";
  EXPECT_EQ(job("a").progress_pct, 23);
  ASSERT_TRUE(step(*subject, "engine:local_comfyui"));
  EXPECT_EQ(job("a").progress_pct, 47);
  finish(*subject);
  EXPECT_EQ(job("a").progress_pct, 100);
}

TEST_F(SegmentFootageTest, DrawingOverAClipIsTheOtherHalf) {
  submit(order("a", 2));
  const auto subject = worker_with_engine("worker");
  std::vector<int> seen;
  renderer_.on_render = [&](int, plan::SourceKind, const CancelToken&) {
    subject->run_maintenance();
    seen.push_back(job("a").progress_pct);
    return ok_status();
  };
  finish(*subject);
  EXPECT_EQ(seen, (std::vector<int>{47, 71}));
}

TEST_F(SegmentFootageTest, TheEngineLearnsWhetherAnybodyWillAskAgain) {
  std::vector<bool> said;
  const auto run = [&](const std::string& id, const std::function<void(Worker&)>& meanwhile) {
    submit(order(id, 1));
    const auto subject = worker_with_engine(id);
    thinks_ = [&](const engines::Watch& watch) {
      EXPECT_FALSE(watch.discarded());
      meanwhile(*subject);
      EXPECT_TRUE(watch.cancel.cancelled());
      said.push_back(watch.discarded());
    };
    ASSERT_TRUE(step(*subject, "render"));
    ASSERT_TRUE(step(*subject, "engine:local_comfyui"));
  };
  run("left", [](Worker& subject) { subject.stop(); });
  ASSERT_TRUE(store_->cancel("left"));  // out of the way
  run("cancelled", [this](Worker& subject) {
    ASSERT_TRUE(store_->cancel("cancelled"));
    subject.renew_leases();
  });
  run("failed", [this](Worker& subject) {
    ASSERT_TRUE(store_->force_fail("failed", "an operator said so"));
    subject.renew_leases();
  });
  run("taken", [this](Worker& subject) {
    ASSERT_TRUE(store_->expire_leases_except("nobody"));
    ASSERT_TRUE(store_->reap());
    subject.renew_leases();
  });
  EXPECT_EQ(said, (std::vector<bool>{false, true, true, false}));
}

// 9 s of video keep back 36 s of the 300.
TEST_F(SegmentFootageTest, WhatOneSegmentUsesUpIsMissingToTheNext) {
  using std::chrono::seconds;
  options_.job_time = {seconds(300), seconds(4)};
  takes_ = seconds(140);
  submit(order("a", 3));
  clock_.advance(seconds(1000));  // waiting for a worker costs no time
  finish(*worker_with_engine("worker"));
  EXPECT_EQ(left_, (std::vector<seconds>{seconds(264), seconds(124)}));
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_TRUE(job("a").fallback_used);
  EXPECT_EQ(job("a").fallback_reason,
            "local_comfyui: deadline: the job's time for engines is over");
  const auto segments = *store_->segments("a");
  EXPECT_EQ(segments[0].engine_used, "local_comfyui");
  EXPECT_EQ(segments[1].engine_used, "local_compositor") << "cut short";
  EXPECT_EQ(segments[2].engine_used, "local_compositor") << "not even begun";
}

TEST_F(SegmentFootageTest, ANewWorkerGivesAJobNoNewTime) {
  using std::chrono::seconds;
  options_.job_time = {seconds(300), seconds(4)};
  takes_ = seconds(60);
  submit(order("a", 3));
  const auto first = worker_with_engine("dead");
  ASSERT_TRUE(step(*first, "render"));
  ASSERT_TRUE(step(*first, "engine:local_comfyui"));
  const jobs::LeaseRequest request{"dead", {jobs::TaskKind::kFootage}, {}, {"local_comfyui"}};
  ASSERT_TRUE(*store_->lease_next(request, options_.lease));  // and then it dies
  clock_.advance(seconds(100));
  ASSERT_TRUE(store_->expire_leases_except("next"));
  ASSERT_TRUE(store_->reap());
  finish(*worker_with_engine("next"));
  EXPECT_EQ(left_, (std::vector<seconds>{seconds(264), seconds(104), seconds(44)}));
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);

  ASSERT_TRUE(store_->create(order("b", 1), {100}));
  ASSERT_TRUE(store_->force_fail("b", "by hand"));
  clock_.advance(seconds(1000));
  ASSERT_TRUE(store_->retry("b"));
  finish(*worker_with_engine("next"), "b");
  EXPECT_EQ(left_.back(), seconds(288)) << "asked for again it has its time again";
}

TEST_F(SegmentFootageTest, TheClientsOwnClipIsNotReplaced) {
  jobs::Job job;
  job.id = "a";
  job.spec.assets.images = {"storage://i"};
  job.spec.assets.clips = {"storage://c"};
  job.spec.segments = {{0, 3, "p"}, {1, 3, "p"}, {2, 3, "p"}};
  job.spec.preset_id = "product_hero_clean";
  job.spec.brand_safe = false;
  render::Inputs inputs;
  inputs.images = {{"i.png", "hash-i"}};
  inputs.clips = {{"c.mp4", "hash-c"}};
  for (int i = 0; i < 3; ++i) {
    const FootageSources sources{*engines_, presets_, *storage_};
    const auto choose = [&](const engines::ChainPosition& from) {
      return *choose_segment_footage(job, i, inputs, sources, "footage/a.mp4", {}, from,
                                     from.engine);
    };
    engines::ChainStep step = choose({});
    EXPECT_EQ(std::holds_alternative<engines::ChainPosition>(step), i != 1);
    if (i != 1) step = choose(std::get<engines::ChainPosition>(step));
    const engines::ChainResult* const chosen = &std::get<engines::ChainResult>(step);
    EXPECT_EQ(chosen->footage.kind, i == 1 ? plan::SourceKind::kImages : plan::SourceKind::kClip);
    EXPECT_EQ(chosen->engine, i == 1 ? "local_compositor" : "local_comfyui");
    EXPECT_FALSE(chosen->fallback);
  }
  EXPECT_EQ(images_, (std::vector<std::string>{"hash-i", "hash-i"}));
}

}  // namespace
}  // namespace pytoon::worker
