// Is the camera where it should be, to a tenth of a pixel, in what is really drawn and decoded?

#include <algorithm>
#include <cmath>

#include "pipeline/media/video_probe.h"
#include "tests/pipeline/render/frame_fixture.h"

namespace pytoon::render {
namespace {

struct Point {
  double x = 0;
  double y = 0;
};

// Bright Gaussian dots on grey, in the texture-shaped image that fills the frame exactly.
constexpr gpu::Size kImage{2160, 3840};
const std::vector<Point> kDots{{600, 900}, {1560, 900}, {1080, 1920}, {600, 2400}, {1560, 1400}};

gpu::RgbaImage dotted() {
  gpu::RgbaImage image(kImage, {60, 60, 60, 255});
  for (const Point& dot : kDots) {
    for (int y = static_cast<int>(dot.y) - 60; y < dot.y + 60; ++y) {
      for (int x = static_cast<int>(dot.x) - 60; x < dot.x + 60; ++x) {
        const double d2 = std::pow(x + 0.5 - dot.x, 2) + std::pow(y + 0.5 - dot.y, 2);
        const auto value = static_cast<std::uint8_t>(60 + 180 * std::exp(-d2 / (2 * 16 * 16)));
        std::fill_n(image.at(x, y), 3, value);
      }
    }
  }
  return image;
}

// Where the dot lies in a frame of the pose, counted from the frame's corner.
Point expected(const Point& dot, const Pose& pose) {
  const double x = dot.x / kImage.width * 1080;
  const double y = dot.y / kImage.height * 1920;
  const double room = (1920 - 1920 / pose.zoom) / 2 * (1 + pose.lift);
  return {(x - (1080 - 1080 / pose.zoom) / 2) * pose.zoom, (y - room) * pose.zoom};
}

// The centroid of what is brighter than the ground around a place.
template <typename Luma>
Point measured(Luma luma, const Point& near) {
  double sum = 0;
  Point at;
  for (int y = static_cast<int>(near.y) - 40; y < near.y + 40; ++y) {
    for (int x = static_cast<int>(near.x) - 40; x < near.x + 40; ++x) {
      const double weight = std::max(0.0, luma(x, y) - 74.0);
      sum += weight;
      at.x += weight * (x + 0.5);
      at.y += weight * (y + 0.5);
    }
  }
  return {at.x / sum, at.y / sum};
}

class FrameMotion : public FrameTest {
 protected:
  // One job of a segment whose first keyframe segment is the move.
  RenderJob job_with(CameraMotion move) {
    spec::JobRequest request;
    request.preset_id = "product_hero_clean";
    request.target_duration_seconds = 3;
    for (std::uint32_t seed = 0;; ++seed) {
      request.seed = seed;
      const RenderJob job = job_of(request, dotted());
      if (path_of(job).motion_of_segment(0) == move) return job;
    }
  }
  static CameraPath path_of(const RenderJob& job) {
    return {job.spec.seed, timeline_of(job).shots[0], amplitude_of(job.spec.style.motion_profile),
            false};
  }
};

TEST_F(FrameMotion, ComposedFramesFollowTheCurveWithinATenthOfAPixel) {
  for (const CameraMotion move : {CameraMotion::kZoomIn, CameraMotion::kZoomOut,
                                  CameraMotion::kPanUp, CameraMotion::kPanDown}) {
    const RenderJob job = job_with(move);
    const auto scene = scene_of(job);
    const CameraPath path = path_of(job);
    double travelled = 0;
    Point before{};
    for (int frame = 0; frame < 90; ++frame) {
      const HostFrame picture = compose(*scene, frame);
      for (const Point& dot : kDots) {
        const Point wanted = expected(dot, path.at(frame));
        const Point found = measured([&](int x, int y) { return picture.luma(x, y); }, wanted);
        ASSERT_NEAR(found.x, wanted.x, 0.1) << "frame " << frame;
        ASSERT_NEAR(found.y, wanted.y, 0.1) << "frame " << frame;
        if (&dot != &kDots[0]) continue;
        if (frame > 0) travelled += std::hypot(found.x - before.x, found.y - before.y);
        before = found;
      }
    }
    EXPECT_GT(travelled, 10) << "the picture must move";
  }
}

TEST_F(FrameMotion, TheDecodedVideoMovesSmoothly) {
  const RenderJob job = job_with(CameraMotion::kPanUp);
  SceneRenderer renderer(*device_, *fonts_, {});
  const auto video = folder_ / "seg.mp4";
  ASSERT_TRUE(renderer.render_segment(job, 0, video, CancelToken(), {}));
  const CameraPath path = path_of(job);
  std::vector<double> errors;
  double last = -1e9;
  for (int frame = 0; frame < 90; frame += 6) {
    const auto picture = media::decode_frame(video, frame);
    ASSERT_TRUE(picture);
    const Point wanted = expected(kDots[2], path.at(frame));
    const Point found =
        measured([&](int x, int y) { return 16 + picture->at(x, y)[1] * 219 / 255; }, wanted);
    errors.push_back(std::hypot(found.x - wanted.x, found.y - wanted.y));
    EXPECT_GT(found.y, last - 0.05) << "a reversal at frame " << frame;
    last = found.y;
  }
  std::sort(errors.begin(), errors.end());
  EXPECT_LE(errors[errors.size() / 2], 0.1);
  EXPECT_LE(errors.back(), 0.35);
}

}  // namespace
}  // namespace pytoon::render
