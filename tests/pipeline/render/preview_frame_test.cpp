// A preview is the film's frame: the same composition, at half the size.
#include <algorithm>
#include <cmath>

#include "base/files.h"
#include "pipeline/media/video_probe.h"
#include "tests/pipeline/render/frame_fixture.h"

namespace pytoon::render {
namespace {

class PreviewFrame : public FrameTest {
 protected:
  PreviewFrame() {
    for (int y = 0; y < image_.size.height; ++y) {
      for (int x = 0; x < image_.size.width; ++x) {
        std::uint8_t* const p = image_.at(x, y);
        p[0] = static_cast<std::uint8_t>(x / 3);
        p[1] = static_cast<std::uint8_t>(y / 5);
        p[2] = static_cast<std::uint8_t>(255 - x / 3);
      }
    }
  }

  RenderJob job() {
    spec::JobRequest request;
    request.preset_id = "overlay_glow";
    request.target_duration_seconds = 3;
    request.captions = spec::Captions{"First words", {}, "Last words"};
    return job_of(request, image_);
  }

  gpu::RgbaImage preview(SceneRenderer& renderer, const RenderJob& job, int frame) {
    return strip(renderer, {{job, {frame}}});
  }

  gpu::RgbaImage strip(SceneRenderer& renderer, const std::vector<FrameRun>& runs) {
    const Result<std::string> jpeg = renderer.strip_jpeg(runs);
    EXPECT_TRUE(jpeg) << jpeg.failure().detail;
    EXPECT_TRUE(write_file_atomically(folder_ / "frame.jpg", *jpeg));
    return *media::read_image(folder_ / "frame.jpg");
  }

  // Mean difference of a preview and a frame of twice its size.
  static double difference(const gpu::RgbaImage& half, const gpu::RgbaImage& whole) {
    double sum = 0;
    for (int y = 0; y < half.size.height; ++y) {
      for (int x = 0; x < half.size.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          const int mean = (whole.at(2 * x, 2 * y)[c] + whole.at(2 * x + 1, 2 * y)[c] +
                            whole.at(2 * x, 2 * y + 1)[c] + whole.at(2 * x + 1, 2 * y + 1)[c]) /
                           4;
          sum += std::abs(half.at(x, y)[c] - mean);
        }
      }
    }
    return sum / (3.0 * half.size.width * half.size.height);
  }

  gpu::RgbaImage image_{{540, 960}, {0, 0, 0, 255}};
};

TEST_F(PreviewFrame, ShowsTheFilmsFrame) {
  media::EncoderChoice encoders;
  SceneRenderer renderer(*device_, *fonts_, encoders);
  const RenderJob job = this->job();
  const auto film = folder_ / "film.mp4";
  const Status rendered = renderer.render_segment(job, 0, film, {}, [](int) {});
  ASSERT_TRUE(rendered) << rendered.failure().detail;
  for (const int frame : {0, 44, 45, 89}) {  // both captions, and the ends of the film
    const gpu::RgbaImage shown = preview(renderer, job, frame);
    ASSERT_EQ(shown.size, (gpu::Size{540, 960}));
    EXPECT_LT(difference(shown, *media::decode_frame(film, frame)), 2.0) << frame;
    // Without what the encoder did to it; what is left is JPEG.
    HostFrame composed = compose(*scene_of(job), frame);
    EXPECT_LT(difference(shown, *media::image_of(composed.view())), 1.0) << frame;
  }
  EXPECT_NE(preview(renderer, job, 44).pixels, preview(renderer, job, 45).pixels) << "other words";
}

TEST_F(PreviewFrame, AStripIsItsFramesBelowEachOther) {
  SceneRenderer renderer(*device_, *fonts_, media::EncoderChoice{});
  const RenderJob job = this->job();
  const std::vector<int> frames{0, 30, 44, 45};
  const gpu::RgbaImage whole = strip(renderer, {{job, {0, 30, 44}}, {job, {45}}});
  ASSERT_EQ(whole.size, (gpu::Size{540, 4 * 960}));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const gpu::RgbaImage alone = preview(renderer, job, frames[i]);
    // Between the outermost rows, whose colour decoders mix with that of the neighbour.
    const std::ptrdiff_t edge = 2 * 540 * 4;
    const auto begin = whole.pixels.begin() + static_cast<std::ptrdiff_t>(i * alone.pixels.size());
    EXPECT_TRUE(std::equal(alone.pixels.begin() + edge, alone.pixels.end() - edge, begin + edge))
        << frames[i];
  }
}

TEST_F(PreviewFrame, OfAnImageThatIsGoneIsAFailure) {
  SceneRenderer renderer(*device_, *fonts_, media::EncoderChoice{});
  RenderJob job = this->job();
  job.inputs.images[0].path = folder_ / "nowhere.png";
  EXPECT_FALSE(renderer.strip_jpeg({{job, {0}}}));
}

}  // namespace
}  // namespace pytoon::render
