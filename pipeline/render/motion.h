// Ken Burns movement: where the camera is at a frame of a shot. Pure, eased, sub-pixel exact.
//
// A shot is cut into legs of about three seconds; each leg is one move of the profile's amplitude,
// eased with the smoothstep 3u^2 - 2u^3, that starts where the leg before ended. Which moves follow
// each other is chosen by the seed among those possible from the pose reached.
#pragma once

#include <cstdint>
#include <string>

#include "pipeline/plan/timeline.h"
#include "pipeline/spec/names.h"

namespace pytoon::render {

// zoom 1 shows the whole picture's width and height; lift is the camera's vertical place in the
// room that zoom leaves: -1 at the top, 0 in the middle, +1 at the bottom.
struct Pose {
  double zoom = 1;
  double lift = 0;
};

enum class Move { kZoomIn, kZoomOut, kPanUp, kPanDown };

// 0.02, 0.05, 0.08, 0.14, 0.20
double amplitude_of(spec::MotionProfile profile);

class CameraPath {
 public:
  // zoom_only leaves out the pans (overlay backgrounds, memes).
  CameraPath(std::uint32_t seed, const plan::Shot& shot, double amplitude, bool zoom_only);

  // frame counts in the whole video. Past the shot's end the movement goes on into a further leg,
  // as a transition needs.
  Pose at(int frame) const;
  Move move_of_leg(int leg) const;
  int legs() const { return legs_; }
  double leg_frames() const { return leg_frames_; }

 private:
  enum class Stop { kWide, kCloseMiddle, kCloseTop, kCloseBottom };
  struct Leg {
    Stop from;
    Stop to;
    Move move;
  };
  Leg leg(int index) const;
  Leg first_leg() const;
  Leg next_leg(const Leg& before, int index) const;
  std::uint32_t choice(int leg, std::uint32_t options) const;
  Pose pose_of(Stop stop) const;

  std::uint32_t seed_;
  int first_segment_;
  int first_frame_;
  double amplitude_;
  bool zoom_only_;
  int legs_;
  double leg_frames_;
};

}  // namespace pytoon::render
