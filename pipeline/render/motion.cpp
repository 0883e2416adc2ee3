#include "pipeline/render/motion.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace pytoon::render {
namespace {

constexpr double kLegFrames = 90;  // about three seconds

double smoothstep(double u) { return u * u * (3 - 2 * u); }

// A fixed integer hash (the finaliser of MurmurHash3), so that pixels don't depend on a library.
std::uint32_t mix(std::uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bU;
  h ^= h >> 13;
  h *= 0xc2b2ae35U;
  return h ^ (h >> 16);
}

}  // namespace

double amplitude_of(spec::MotionProfile profile) {
  switch (profile) {
    case spec::MotionProfile::kMinimal:
      return 0.02;
    case spec::MotionProfile::kSubtle:
      return 0.05;
    case spec::MotionProfile::kSmooth:
      return 0.08;
    case spec::MotionProfile::kPunchy:
      return 0.14;
    case spec::MotionProfile::kChaotic:
      return 0.20;
  }
  CHECK(false, "a motion profile has no amplitude");
}

CameraPath::CameraPath(std::uint32_t seed, const plan::Shot& shot, double amplitude, bool zoom_only)
    : seed_(seed),
      first_segment_(shot.first_segment),
      first_frame_(shot.frames.first),
      amplitude_(amplitude),
      zoom_only_(zoom_only),
      keyframe_segments_(
          std::max(1, static_cast<int>(std::lround(shot.frames.count() / kLegFrames)))),
      keyframe_segment_frames_(static_cast<double>(shot.frames.count()) / keyframe_segments_) {}

std::uint32_t CameraPath::choice(int keyframes, std::uint32_t options) const {
  const auto where = static_cast<std::uint32_t>(first_segment_ * 1000 + keyframes);
  return mix(mix(seed_) ^ mix(where + 0x9e3779b9U)) % options;
}

CameraPath::Keyframes CameraPath::first_keyframes() const {
  switch (choice(0, zoom_only_ ? 2 : 4)) {
    case 0:
      return {KeyPose::kWide, KeyPose::kCloseMiddle, CameraMotion::kZoomIn};
    case 1:
      return {KeyPose::kCloseMiddle, KeyPose::kWide, CameraMotion::kZoomOut};
    case 2:
      return {KeyPose::kCloseBottom, KeyPose::kCloseTop, CameraMotion::kPanUp};
    default:
      return {KeyPose::kCloseTop, KeyPose::kCloseBottom, CameraMotion::kPanDown};
  }
}

CameraPath::Keyframes CameraPath::next_keyframes(const Keyframes& before, int index) const {
  const KeyPose from = before.to;
  if (from == KeyPose::kWide) return {from, KeyPose::kCloseMiddle, CameraMotion::kZoomIn};
  const Keyframes out{from, KeyPose::kWide, CameraMotion::kZoomOut};
  if (zoom_only_) return out;
  const Keyframes up{from, KeyPose::kCloseTop, CameraMotion::kPanUp};
  const Keyframes down{from, KeyPose::kCloseBottom, CameraMotion::kPanDown};
  const std::uint32_t pick = choice(index, from == KeyPose::kCloseMiddle ? 3 : 2);
  if (pick == 0) return out;
  if (from == KeyPose::kCloseTop) return down;
  if (from == KeyPose::kCloseBottom) return up;
  return pick == 1 ? up : down;
}

CameraPath::Keyframes CameraPath::keyframes(int index) const {
  Keyframes current = first_keyframes();
  for (int i = 1; i <= index; ++i) current = next_keyframes(current, i);
  return current;
}

CameraMotion CameraPath::motion_of_segment(int index) const { return keyframes(index).move; }

Pose CameraPath::pose_of(KeyPose stop) const {
  switch (stop) {
    case KeyPose::kWide:
      return {1, 0};
    case KeyPose::kCloseMiddle:
      return {1 + amplitude_, 0};
    case KeyPose::kCloseTop:
      return {1 + amplitude_, -1};
    case KeyPose::kCloseBottom:
      return {1 + amplitude_, 1};
  }
  CHECK(false, "a stop has no pose");
}

Pose CameraPath::at(int frame) const {
  const double where = std::max(0, frame - first_frame_) / keyframe_segment_frames_;
  const int index = static_cast<int>(where);
  const Keyframes now = keyframes(index);
  const double u = smoothstep(where - index);
  const Pose a = pose_of(now.from);
  const Pose b = pose_of(now.to);
  return {a.zoom + (b.zoom - a.zoom) * u, a.lift + (b.lift - a.lift) * u};
}

}  // namespace pytoon::render
