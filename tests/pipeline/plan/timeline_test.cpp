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
  const Timeline timeline = make_timeline(spec_of(15, {"a"}), {false, false, true, false, false});
  ASSERT_EQ(timeline.shots.size(), 3U);
  EXPECT_TRUE(timeline.shots[1].card);
  EXPECT_EQ(timeline.shots[2].first_segment, 3);
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
  spec.captions_plan = plan_captions(request, 15);
  const Timeline timeline = make_timeline(spec);
  EXPECT_EQ(caption_at(timeline, 0), 0);
  EXPECT_EQ(caption_at(timeline, 149), 0);
  EXPECT_EQ(caption_at(timeline, 150), 1);
  EXPECT_EQ(caption_at(timeline, 449), 2);
  EXPECT_EQ(caption_at(timeline, 450), -1);
}

}  // namespace
}  // namespace pytoon::plan
