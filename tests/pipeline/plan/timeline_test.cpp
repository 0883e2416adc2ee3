#include "pipeline/plan/timeline.h"

#include <gtest/gtest.h>

#include "pipeline/plan/captions.h"

namespace pytoon::plan {
namespace {

spec::RenderSpec spec_of(int seconds, std::vector<std::string> images) {
  spec::RenderSpec spec;
  spec.target_duration_seconds = seconds;
  spec.assets.images = std::move(images);
  for (int start = 0; start < seconds; start += 3) {
    spec.segments.push_back(
        {static_cast<int>(spec.segments.size()), std::min(3, seconds - start), ""});
  }
  return spec;
}

TEST(Timeline, SegmentsLieOnExactFrames) {
  const Timeline timeline = make_timeline(spec_of(10, {"a"}));
  EXPECT_EQ(timeline.frames, 300);
  ASSERT_EQ(timeline.segments.size(), 4U);
  EXPECT_EQ(timeline.segments[3], (FrameSpan{270, 300}));
}

TEST(Timeline, OneImageIsOneShotAndSeveralAreUsedInTurn) {
  EXPECT_EQ(make_timeline(spec_of(15, {"a"})).shots.size(), 1U);
  EXPECT_EQ(make_timeline(spec_of(15, {})).shots.size(), 1U);
  EXPECT_EQ(make_timeline(spec_of(15, {"a", "a"})).shots.size(), 1U);
  const Timeline two = make_timeline(spec_of(15, {"a", "b"}));
  ASSERT_EQ(two.shots.size(), 5U);
  EXPECT_EQ(two.shots[2].image, 0);
  EXPECT_EQ(two.shots[3].image, 1);
  EXPECT_EQ(two.shot_of_segment[4], 4);
}

TEST(Timeline, ACardStartsAShotOfItsOwn) {
  const Timeline timeline = make_timeline(
      spec_of(15, {"a"}), {SourceKind::kImages, SourceKind::kImages, SourceKind::kCard,
                           SourceKind::kImages, SourceKind::kImages});
  ASSERT_EQ(timeline.shots.size(), 3U);
  EXPECT_EQ(timeline.shots[1].source, SourceKind::kCard);
  EXPECT_EQ(timeline.shots[2].first_segment, 3);
}

spec::RenderSpec with_clips(spec::RenderSpec spec, std::vector<std::string> clips) {
  spec.assets.clips = std::move(clips);
  return spec;
}

TEST(Timeline, ClipsComeAfterTheImagesAndAllAreUsedInTurn) {
  const Timeline timeline = make_timeline(with_clips(spec_of(15, {"a"}), {"x", "y"}));
  ASSERT_EQ(timeline.shots.size(), 5U);
  const int images[] = {0, -1, -1, 0, -1};
  const int clips[] = {-1, 0, 1, -1, 0};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(timeline.shots[i].image, images[i]) << i;
    EXPECT_EQ(timeline.shots[i].clip, clips[i]) << i;
  }
}

TEST(Timeline, AClipGoesOnWhereItWasLeft) {
  const Timeline one = make_timeline(with_clips(spec_of(15, {}), {"x", "x"}));
  ASSERT_EQ(one.shots.size(), 1U);
  EXPECT_EQ(one.shots[0].frames.count(), 450);
  const Timeline two = make_timeline(with_clips(spec_of(15, {}), {"x", "y"}));
  const int before[] = {0, 0, 90, 90, 180};
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(two.shots[i].clip_frames_before, before[i]) << i;
  // A card shows nothing of it.
  const Timeline card =
      make_timeline(with_clips(spec_of(9, {}), {"x"}),
                    {SourceKind::kImages, SourceKind::kCard, SourceKind::kImages});
  ASSERT_EQ(card.shots.size(), 3U);
  EXPECT_EQ(card.shots[2].clip_frames_before, 90);
}

TEST(Timeline, WhatAnEngineMadeIsAShotOfItsOwn) {
  const Timeline timeline =
      make_timeline(spec_of(9, {"a"}), {SourceKind::kClip, SourceKind::kClip, SourceKind::kImages});
  ASSERT_EQ(timeline.shots.size(), 3U);
  EXPECT_EQ(timeline.shots[1].source, SourceKind::kClip);
  EXPECT_EQ(timeline.shots[1].image, 0);
  EXPECT_EQ(timeline.shots[1].first_segment, 1);
}

TEST(Timeline, TransitionsAreWholeFrames) {
  spec::RenderSpec spec = spec_of(15, {"a", "b"});
  EXPECT_EQ(make_timeline(spec).transition_frames, 5);  // 150 ms
  spec.transition.type = spec::TransitionType::kCut;
  EXPECT_EQ(make_timeline(spec).transition_frames, 0);
}

TEST(Timeline, EveryFrameHasItsCaption) {
  spec::RenderSpec spec = spec_of(15, {"a"});
  spec::JobRequest request;
  request.captions = spec::Captions{"h", {"b"}, "c"};
  spec.captions_plan = plan_captions(request, 15, 30);
  const Timeline timeline = make_timeline(spec);
  EXPECT_EQ(caption_at(timeline, 0), 0);
  EXPECT_EQ(caption_at(timeline, 149), 0);
  EXPECT_EQ(caption_at(timeline, 150), 1);
  EXPECT_EQ(caption_at(timeline, 449), 2);
  EXPECT_EQ(caption_at(timeline, 450), -1);
}

}  // namespace
}  // namespace pytoon::plan
