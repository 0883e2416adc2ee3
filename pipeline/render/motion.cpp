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
      legs_(std::max(1, static_cast<int>(std::lround(shot.frames.count() / kLegFrames)))),
      leg_frames_(static_cast<double>(shot.frames.count()) / legs_) {}

std::uint32_t CameraPath::choice(int leg, std::uint32_t options) const {
  const auto where = static_cast<std::uint32_t>(first_segment_ * 1000 + leg);
  return mix(mix(seed_) ^ mix(where + 0x9e3779b9U)) % options;
}

CameraPath::Leg CameraPath::first_leg() const {
  switch (choice(0, zoom_only_ ? 2 : 4)) {
    case 0:
      return {Stop::kWide, Stop::kCloseMiddle, Move::kZoomIn};
    case 1:
      return {Stop::kCloseMiddle, Stop::kWide, Move::kZoomOut};
    case 2:
      return {Stop::kCloseBottom, Stop::kCloseTop, Move::kPanUp};
    default:
      return {Stop::kCloseTop, Stop::kCloseBottom, Move::kPanDown};
  }
}

CameraPath::Leg CameraPath::next_leg(const Leg& before, int index) const {
  const Stop from = before.to;
  if (from == Stop::kWide) return {from, Stop::kCloseMiddle, Move::kZoomIn};
  const Leg out{from, Stop::kWide, Move::kZoomOut};
  if (zoom_only_) return out;
  const Leg up{from, Stop::kCloseTop, Move::kPanUp};
  const Leg down{from, Stop::kCloseBottom, Move::kPanDown};
  const std::uint32_t pick = choice(index, from == Stop::kCloseMiddle ? 3 : 2);
  if (pick == 0) return out;
  if (from == Stop::kCloseTop) return down;
  if (from == Stop::kCloseBottom) return up;
  return pick == 1 ? up : down;
}

CameraPath::Leg CameraPath::leg(int index) const {
  Leg current = first_leg();
  for (int i = 1; i <= index; ++i) current = next_leg(current, i);
  return current;
}

Move CameraPath::move_of_leg(int index) const { return leg(index).move; }

Pose CameraPath::pose_of(Stop stop) const {
  switch (stop) {
    case Stop::kWide:
      return {1, 0};
    case Stop::kCloseMiddle:
      return {1 + amplitude_, 0};
    case Stop::kCloseTop:
      return {1 + amplitude_, -1};
    case Stop::kCloseBottom:
      return {1 + amplitude_, 1};
  }
  CHECK(false, "a stop has no pose");
}

Pose CameraPath::at(int frame) const {
  const double where = std::max(0, frame - first_frame_) / leg_frames_;
  const int index = static_cast<int>(where);
  const Leg now = leg(index);
  const double u = smoothstep(where - index);
  const Pose a = pose_of(now.from);
  const Pose b = pose_of(now.to);
  return {a.zoom + (b.zoom - a.zoom) * u, a.lift + (b.lift - a.lift) * u};
}

}  // namespace pytoon::render
