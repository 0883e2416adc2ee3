#include "server/worker/segment_footage.h"

#include <gtest/gtest.h>

#include "engines/fake_engine.h"
#include "tests/server/worker/run_fixture.h"

namespace pytoon::worker {
namespace {

using render::Footage;

// A run whose preset asks for an engine that makes clips.
class SegmentFootageTest : public RunFixture {
 protected:
  void SetUp() override {
    RunFixture::SetUp();
    presets_["product_hero_clean"].engines = {"local_comfyui"};
    engines::FakeEngine::Script script;
    script.capabilities.archetypes = {spec::Archetype::kProductHero, spec::Archetype::kOverlay,
                                      spec::Archetype::kMemeText};
    script.supply = [this](const engines::FootageRequest& request, const engines::Watch&) {
      ++made_;
      images_.push_back(request.image ? request.image->sha256 : "");
      const std::string bytes = "clip " + request.key();
      EXPECT_TRUE(write_file_atomically(request.output, bytes));
      engines::Supplied supplied;
      supplied.clip = render::InputFile{request.output, sha256_hex(bytes)};
      return Result<engines::Supplied>(supplied);
    };
    std::vector<std::unique_ptr<engines::Engine>> all = only_the_compositor();
    all.push_back(std::make_unique<engines::FakeEngine>("local_comfyui", script));
    engines_ = std::make_unique<engines::Ladder>(std::move(all), clock_);
  }
  std::unique_ptr<JobRun> lease_with_engine() {
    auto claim = store_.lease_next("worker", milliseconds(20'000));
    EXPECT_TRUE(claim && *claim);
    const RunParts with{store_, *storage_, renderer_, *engines_, presets_, metrics_, clock_, log_};
    return std::make_unique<JobRun>(std::move(**claim), with, options_);
  }
  Result<ChosenFootage> choose(const jobs::Job& job, const jobs::Segment& row,
                               const render::Inputs& inputs) {
    return choose_segment_footage(job, row, inputs, {*engines_, presets_, *storage_}, {});
  }

  int made_ = 0;
  std::vector<std::string> images_;
  std::unique_ptr<engines::Ladder> engines_;
};

TEST_F(SegmentFootageTest, AJobIsDrawnFromItsClipsAndKeepsNone) {
  submit(order("a", 3));
  const auto run = lease_with_engine();
  finish(*run);
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_FALSE(job("a").fallback_used);
  EXPECT_EQ(made_, 3);
  const auto segments = *store_.segments("a");
  for (const jobs::Segment& segment : segments) EXPECT_EQ(segment.engine_used, "local_comfyui");
  EXPECT_EQ(images_, std::vector<std::string>(3, sha256_hex("picture")));
  EXPECT_FALSE(storage_->exists("footage/a/0.mp4"));
}

TEST_F(SegmentFootageTest, WhatWasMadeIsUsedAgainAfterACrash) {
  submit(order("a", 3));
  {
    const auto run = lease_with_engine();
    finish_segments(*run, "a", 1);
  }
  EXPECT_EQ(made_, 3);
  ASSERT_TRUE(store_.expire_leases_except("next"));
  const auto run = lease_with_engine();
  finish(*run);
  EXPECT_EQ(job("a").status, jobs::JobStatus::kDone);
  EXPECT_EQ(made_, 3);
  EXPECT_EQ(renderer_.calls(0), 1);
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
    jobs::Segment row;
    row.index = i;
    const Result<ChosenFootage> chosen = choose(job, row, inputs);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(chosen->footage.kind, i == 1 ? Footage::kImages : Footage::kClip);
    EXPECT_EQ(chosen->engine, i == 1 ? "local_compositor" : "local_comfyui");
    EXPECT_FALSE(chosen->fallback);
  }
  EXPECT_EQ(images_, (std::vector<std::string>{"hash-i", "hash-i"}));
  ASSERT_TRUE(remove_footage(job, *storage_));
  EXPECT_FALSE(storage_->exists("footage/a/0.mp4"));
}

}  // namespace
}  // namespace pytoon::worker
