// Ken Burns movement: where the camera is at a frame of a shot. Pure, eased, sub-pixel exact.
//
// A shot is cut into keyframe segments of about three seconds; each keyframe segment is one move of
// the profile's amplitude, eased with the smoothstep 3u^2 - 2u^3, that starts where the keyframe
// segment before ended. Which moves follow each other is chosen by the seed among those possible
// from the pose reached.
#pragma once

#include <cstdint>
#include <string>

#include "pipeline/plan/timeline.h"
#include "pipeline/spec/names.h"

namespace pytoon::render {

// zoom 1 shows the whole image's width and height; lift is the camera's vertical place in the
// room that zoom leaves: -1 at the top, 0 in the middle, +1 at the bottom.
struct Pose {
  double zoom = 1;
  double lift = 0;
};

enum class CameraMotion { kZoomIn, kZoomOut, kPanUp, kPanDown };

// 0.02, 0.05, 0.08, 0.14, 0.20
double amplitude_of(spec::MotionProfile profile);

class CameraPath {
 public:
  // zoom_only leaves out the pans (overlay backgrounds, memes).
  CameraPath(std::uint32_t seed, const plan::Shot& shot, double amplitude, bool zoom_only);

  // frame counts in the whole video. Past the shot's end the movement goes on into a further
  // keyframe segment, as a transition needs.
  Pose at(int frame) const;
  CameraMotion motion_of_segment(int keyframes) const;
  int keyframe_segments() const { return keyframe_segments_; }
  double keyframe_segment_frames() const { return keyframe_segment_frames_; }

 private:
  enum class KeyPose { kWide, kCloseMiddle, kCloseTop, kCloseBottom };
  struct Keyframes {
    KeyPose from;
    KeyPose to;
    CameraMotion move;
  };
  Keyframes keyframes(int index) const;
  Keyframes first_keyframes() const;
  Keyframes next_keyframes(const Keyframes& before, int index) const;
  std::uint32_t choice(int keyframes, std::uint32_t options) const;
  Pose pose_of(KeyPose stop) const;

  std::uint32_t seed_;
  int first_segment_;
  int first_frame_;
  double amplitude_;
  bool zoom_only_;
  int keyframe_segments_;
  double keyframe_segment_frames_;
};

}  // namespace pytoon::render
