#include "pipeline/render/content_key.h"

#include <gtest/gtest.h>

#include <set>

#include "pipeline/plan/planner.h"
#include "pipeline/render/scene_builder.h"
#include "tests/support/source_dir.h"

namespace pytoon::render {
namespace {

const ImageMaker kMaker{"cpu", "x264", "fonts"};

RenderJob job_of(const std::string& preset) {
  plan::Catalogue catalogue;
  catalogue.presets = *spec::read_presets(support::source_dir() / "config/presets.yaml");
  catalogue.platforms = *spec::read_platforms(support::source_dir() / "config/platforms.yaml");
  spec::JobRequest request;
  request.preset_id = preset;
  request.image_uris = {"storage://a", "storage://b"};
  request.captions = spec::Captions{"hook", {"one"}, "cta"};
  RenderJob job;
  job.spec = *plan::make_render_spec(request, catalogue, 1);
  job.inputs.images = {{"a.png", "hash-a"}, {"b.png", "hash-b"}};
  job.footage.assign(job.spec.segments.size(), plan::SourceKind::kImages);
  return job;
}

// As if every text were one line of the same height.
CaptionLayout layout_of(const RenderJob& job) {
  CaptionLayout layout;
  layout.size_px = 56;
  layout.reserved = {100, 1000, 500, 60};
  for (const spec::CaptionTiming& timing : job.spec.captions_plan.timings) {
    Caption caption;
    caption.place = {100, 1000, 10 * static_cast<int>(timing.text.size()), 60};
    layout.captions.push_back(caption);
  }
  return layout;
}

std::vector<std::string> keys_of(const RenderJob& job, const CaptionLayout& captions,
                                 const ImageMaker& maker = kMaker) {
  const plan::Timeline timeline = timeline_of(job);
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < timeline.segments.size(); ++i) {
    keys.push_back(content_key(job, timeline, captions, static_cast<int>(i), maker));
  }
  return keys;
}

std::vector<std::string> keys_of(const RenderJob& job, const ImageMaker& maker = kMaker) {
  return keys_of(job, layout_of(job), maker);
}

// Those at which two lists differ.
std::set<std::size_t> changed(const std::vector<std::string>& a,
                              const std::vector<std::string>& b) {
  std::set<std::size_t> places;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b.at(i)) places.insert(i);
  }
  return places;
}

TEST(ContentKey, IsRepeatableAndDiffersBySegment) {
  const RenderJob job = job_of("overlay_glow");
  const auto keys = keys_of(job);
  EXPECT_EQ(keys, keys_of(job));
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
}

TEST(ContentKey, EverythingThatDecidesPixelsChangesIt) {
  const RenderJob job = job_of("overlay_glow");
  const auto keys = keys_of(job);
  RenderJob other = job;
  other.inputs.images[0].sha256 = "hash-c";
  EXPECT_NE(keys_of(other)[0], keys[0]);
  other = job;
  other.spec.seed = 2;
  EXPECT_NE(keys_of(other)[0], keys[0]);
  other = job;
  other.spec.footage_only = true;
  EXPECT_NE(keys_of(other)[0], keys[0]);
  other = job;
  other.inputs.logo = plan::InputFile{"logo.png", "hash-l"};
  EXPECT_NE(keys_of(other)[0], keys[0]);
  EXPECT_NE(keys_of(job, {"cuda", "x264", "fonts"})[0], keys[0]);
  EXPECT_NE(keys_of(job, {"cpu", "nvenc", "fonts"})[0], keys[0]);
  EXPECT_NE(keys_of(job, {"cpu", "x264", "fonts2"})[0], keys[0]);
}

// Three captions over five segments of three seconds: 0 to 5, 5 to 10, 10 to 15 s.
TEST(ContentKey, ACaptionDecidesTheSegmentsThatShowIt) {
  const std::set<std::size_t> all{0, 1, 2, 3, 4};
  for (const char* const preset : {"product_hero_clean", "overlay_glow", "meme_smooth"}) {
    const RenderJob job = job_of(preset);
    const CaptionLayout layout = layout_of(job);
    const auto keys = keys_of(job);
    RenderJob other = job;
    other.spec.captions_plan.timings[2].text = "buy";
    other.spec.captions_plan.cta = "buy";
    EXPECT_EQ(changed(keys_of(other), keys), (std::set<std::size_t>{3, 4})) << preset;
    CaptionLayout moved = layout;
    moved.captions[0].place.y += 2;
    EXPECT_EQ(changed(keys_of(job, moved), keys), (std::set<std::size_t>{0, 1}));
    CaptionLayout smaller = layout;
    smaller.size_px = 50;
    EXPECT_EQ(changed(keys_of(job, smaller), keys), all) << "one size for all";
    CaptionLayout higher = layout;
    higher.reserved.height = 200;
    const bool overlay = job.spec.archetype == spec::Archetype::kOverlay;
    EXPECT_EQ(changed(keys_of(job, higher), keys), overlay ? all : std::set<std::size_t>{})
        << "the product keeps clear of all captions";
  }
}

TEST(ContentKey, WhatNoPixelDependsOnDoesNotChangeIt) {
  const RenderJob job = job_of("overlay_glow");
  RenderJob other = job;
  other.spec.engine_policy = spec::EnginePolicy::kApiOnly;
  other.spec.segments[0].prompt = "another prompt";
  other.spec.preset_id = "renamed";
  other.spec.reuse = false;
  EXPECT_EQ(keys_of(other), keys_of(job));
}

TEST(ContentKey, ClipsDecideTheKeysOfTheSegmentsThatShowThem) {
  RenderJob job = job_of("product_hero_clean");
  job.spec.captions_plan.timings.clear();
  job.spec.assets.clips = {"storage://x"};
  job.inputs.clips = {{"x.mp4", "hash-x"}};
  const auto keys = keys_of(job);  // a, b, x, a, b
  RenderJob other = job;
  other.inputs.clips[0].sha256 = "hash-y";
  const auto changed = keys_of(other);
  EXPECT_EQ(changed[0], keys[0]);
  EXPECT_EQ(changed[1], keys[1]);
  EXPECT_NE(changed[2], keys[2]);
  EXPECT_NE(changed[3], keys[3]);  // crossfades from it
  EXPECT_EQ(changed[4], keys[4]);
}

TEST(ContentKey, WhatAnEngineMadeDecidesItsSegmentsKey) {
  RenderJob job = job_of("overlay_glow");
  job.spec.captions_plan.timings.clear();
  const auto keys = keys_of(job);
  job.footage[1] = {plan::SourceKind::kClip, plan::InputFile{"made.mp4", "hash-m"}};
  const auto made = keys_of(job);
  EXPECT_NE(made[1], keys[1]);
  EXPECT_EQ(made[0], keys[0]);
  job.footage[1].clip->sha256 = "hash-n";
  EXPECT_NE(keys_of(job)[1], made[1]);
}

TEST(ContentKey, ACardChangesItsNeighboursThatShowIt) {
  const RenderJob job = job_of("overlay_glow");
  const auto keys = keys_of(job);
  RenderJob other = job;
  other.footage[1] = plan::SourceKind::kCard;
  const auto changed = keys_of(other);
  EXPECT_NE(changed[1], keys[1]);
  EXPECT_NE(changed[2], keys[2]);  // crossfades from it
  EXPECT_EQ(changed[4], keys[4]);
}

}  // namespace
}  // namespace pytoon::render
