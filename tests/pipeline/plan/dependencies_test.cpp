#include "pipeline/plan/dependencies.h"

#include <gtest/gtest.h>

namespace pytoon::plan {
namespace {

// One image a segment.
spec::RenderSpec spec_of(int segments) {
  spec::RenderSpec spec;
  spec.target_duration_seconds = segments * 3;
  for (int i = 0; i < segments; ++i) {
    spec.assets.images.push_back(std::to_string(i));
    spec.segments.push_back({i, 3, ""});
  }
  return spec;
}

TEST(ShotsShown, AreThoseOfTheFramesAndTheOneThatATransitionLeaves) {
  const Timeline timeline = make_timeline(spec_of(4));
  EXPECT_EQ(shots_shown(timeline, timeline.segments[0]), (ShotRange{0, 1}));
  EXPECT_EQ(shots_shown(timeline, timeline.segments[2]), (ShotRange{1, 3}));
  EXPECT_EQ(shots_shown(timeline, {184, 185}), (ShotRange{1, 3}));
  EXPECT_EQ(shots_shown(timeline, {185, 186}), (ShotRange{2, 3}));
  EXPECT_EQ(shots_shown(timeline, {0, 360}), (ShotRange{0, 4}));
  EXPECT_EQ(shots_shown(timeline, {400, 401}), (ShotRange{3, 4}));
}

TEST(Dependencies, OfASegmentAreItsOwnImageAndTheOneItFadesFrom) {
  const spec::RenderSpec spec = spec_of(20);
  const Timeline timeline = make_timeline(spec);
  EXPECT_EQ(drawn_from(spec, timeline, 7), (Dependencies{{6, 7}, {}, {}}));
  EXPECT_EQ(drawn_from(spec, timeline, 0), (Dependencies{{0}, {}, {}}));
  EXPECT_EQ(decided_by(timeline, 7), (Dependencies{{6, 7}, {}, {}}));
}

TEST(Dependencies, HoldWhatItsCaptionsAreMeasuredOn) {
  spec::RenderSpec spec = spec_of(20);
  spec.captions_plan.timings = {{0, 60, "over all of it"}};
  const Timeline timeline = make_timeline(spec);
  // Frames 0, 900 and 1799; the second lies in a transition.
  EXPECT_EQ(drawn_from(spec, timeline, 7), (Dependencies{{0, 6, 7, 9, 10, 19}, {}, {}}));
  EXPECT_EQ(decided_by(timeline, 7).images.size(), 20U);
}

TEST(Dependencies, OfAnEnginesClipLeaveTheImageToOverlays) {
  spec::RenderSpec spec = spec_of(3);
  const Timeline timeline =
      make_timeline(spec, {SourceKind::kImages, SourceKind::kClip, SourceKind::kCard});
  EXPECT_EQ(drawn_from(spec, timeline, 1), (Dependencies{{0}, {}, {1}}));
  EXPECT_EQ(drawn_from(spec, timeline, 2), (Dependencies{{2}, {}, {1}}));
  EXPECT_EQ(decided_by(timeline, 1), (Dependencies{{0, 1}, {}, {1}}));
  spec.archetype = spec::Archetype::kOverlay;
  EXPECT_EQ(drawn_from(spec, timeline, 1), (Dependencies{{0, 1}, {}, {1}}));
}

TEST(Dependencies, OfDrawingAreAmongThoseOfTheKey) {
  spec::RenderSpec spec = spec_of(12);
  spec.archetype = spec::Archetype::kOverlay;
  spec.assets.clips = {"x", "y"};
  for (int i = 0; i < 5; ++i) {
    spec.captions_plan.timings.push_back({i * 7.2, (i + 1) * 7.2, "text"});
  }
  const Timeline timeline = make_timeline(spec);
  for (int segment = 0; segment < 12; ++segment) {
    const Dependencies drawn = drawn_from(spec, timeline, segment);
    const Dependencies decided = decided_by(timeline, segment);
    for (const int image : drawn.images) EXPECT_TRUE(decided.images.contains(image)) << segment;
    for (const int clip : drawn.clips) EXPECT_TRUE(decided.clips.contains(clip)) << segment;
    EXPECT_LE(drawn.images.size(), 11U);
  }
}

TEST(BackdropFrames, AreFirstMiddleAndLast) {
  EXPECT_EQ(backdrop_frames({90, 181}, false), (std::vector{90, 135, 180}));
  EXPECT_EQ(backdrop_frames({0, 90}, true), (std::vector{0, 15, 30, 45, 59, 74, 89}));
}

TEST(PlaysClips, IsTrueOfFootageThatMoves) {
  spec::RenderSpec spec = spec_of(2);
  EXPECT_FALSE(plays_clips(spec, make_timeline(spec)));
  EXPECT_TRUE(plays_clips(spec, make_timeline(spec, {SourceKind::kImages, SourceKind::kClip})));
  spec.assets.clips = {"x"};
  spec.segments.push_back({2, 3, ""});
  EXPECT_TRUE(plays_clips(spec, make_timeline(spec)));
  EXPECT_FALSE(plays_clips(
      spec, make_timeline(spec, {SourceKind::kImages, SourceKind::kImages, SourceKind::kCard})));
  spec.archetype = spec::Archetype::kOverlay;
  spec.footage_only = true;
  EXPECT_FALSE(plays_clips(spec, make_timeline(spec)));
}

}  // namespace
}  // namespace pytoon::plan
