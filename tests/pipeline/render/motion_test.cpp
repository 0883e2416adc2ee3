#include "pipeline/render/motion.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace pytoon::render {
namespace {

plan::Shot shot(int frames, int first = 0) {
  return {{first, first + frames}, 0, -1, plan::SourceKind::kImages, first / 90};
}

TEST(CameraPath, StaysInsideTheImage) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    const CameraPath path(seed, shot(1800), 0.14, false);
    for (int frame = 0; frame < 1805; ++frame) {
      const Pose pose = path.at(frame);
      ASSERT_GE(pose.zoom, 1);
      ASSERT_LE(pose.zoom, 1.14 + 1e-9);
      ASSERT_LE(std::abs(pose.lift), 1);
    }
  }
}

TEST(CameraPath, IsContinuousAcrossLegsAndPastTheEnd) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    const CameraPath path(seed, shot(450), 0.20, false);
    for (int frame = 1; frame < 460; ++frame) {
      const Pose a = path.at(frame - 1);
      const Pose b = path.at(frame);
      // The smoothstep's steepest slope is 1.5 over the keyframe segment.
      ASSERT_LE(std::abs(b.zoom - a.zoom), 0.20 * 1.5 / path.keyframe_segment_frames() + 1e-9);
      ASSERT_LE(std::abs(b.lift - a.lift), 2 * 1.5 / path.keyframe_segment_frames() + 1e-9);
    }
  }
}

TEST(CameraPath, EveryLegMovesByItsAmplitude) {
  const CameraPath path(3, shot(450), 0.05, false);
  ASSERT_EQ(path.keyframe_segments(), 5);
  for (int keyframes = 0; keyframes < 5; ++keyframes) {
    const Pose a = path.at(keyframes * 90);
    const Pose b = path.at(keyframes * 90 + 89);
    const double moved = std::abs(b.zoom - a.zoom) / 0.05 + std::abs(b.lift - a.lift);
    EXPECT_GT(moved, 0.95) << keyframes;
  }
}

TEST(CameraPath, TheSeedChoosesAllFourMoves) {
  std::set<CameraMotion> moves;
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    moves.insert(CameraPath(seed, shot(90), 0.05, false).motion_of_segment(0));
  }
  EXPECT_EQ(moves.size(), 4U);
}

TEST(CameraPath, ZoomOnlyNeverPans) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    const CameraPath path(seed, shot(450), 0.2, true);
    for (int frame = 0; frame < 450; ++frame) ASSERT_EQ(path.at(frame).lift, 0);
  }
}

TEST(CameraPath, AShortRestIsNotALegOfItsOwn) {
  EXPECT_EQ(CameraPath(1, shot(300), 0.05, false).keyframe_segments(), 3);
  EXPECT_EQ(CameraPath(1, shot(30), 0.05, false).keyframe_segments(), 1);
}

TEST(Amplitude, GrowsWithTheProfile) {
  EXPECT_DOUBLE_EQ(amplitude_of(spec::MotionProfile::kMinimal), 0.02);
  EXPECT_DOUBLE_EQ(amplitude_of(spec::MotionProfile::kChaotic), 0.20);
}

}  // namespace
}  // namespace pytoon::render
