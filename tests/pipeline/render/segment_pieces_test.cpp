// A renderer's threads and the pieces of its segments.
#include <atomic>

#include "base/hash.h"
#include "pipeline/media/video_probe.h"
#include "tests/pipeline/render/frame_fixture.h"

namespace pytoon::render {

class SegmentPieces : public FrameTest {
 protected:
  RenderJob job_of_seconds(int seconds) {
    spec::JobRequest request;
    request.preset_id = "product_hero_clean";
    request.target_duration_seconds = seconds;
    request.captions = spec::Captions{"Calmer skin", {}, ""};
    return job_of(request, gpu::RgbaImage({540, 960}, {90, 120, 40, 255}));
  }
  std::string rendered(const RenderJob& job, int threads) {
    SceneRenderer renderer(*device_, *fonts_, {}, {.pool = std::make_shared<PiecePool>(threads)});
    std::atomic<int> frames{0};
    const auto output = folder_ / "s.mp4";
    const Status done =
        renderer.render_segment(job, 0, output, {}, [&frames](int drawn) { frames = drawn; });
    EXPECT_TRUE(done) << done.failure().detail;
    EXPECT_EQ(frames, renderer.frame_count(job.spec, 0));
    EXPECT_EQ(media::probe_video(output)->frames, frames);
    return *sha256_file(output);
  }
};

TEST_F(SegmentPieces, AreTheSameBytesOnAnyNumberOfThreads) {
  const RenderJob job = job_of_seconds(3);
  const std::string alone = rendered(job, 1);
  for (const int threads : {2, 3, 8}) EXPECT_EQ(rendered(job, threads), alone) << threads;
}

TEST_F(SegmentPieces, HaveACompositorEach) {
  const RenderJob job = job_of_seconds(4);  // segments of 90 and 30 frames
  SceneRenderer one(*device_, *fonts_, {}, {.pool = std::make_shared<PiecePool>(1)});
  EXPECT_EQ(one.compositors_at_once(job, 0), 1);
  SceneRenderer many(*device_, *fonts_, {},
                     {.pool = std::make_shared<PiecePool>(16), .gpu_pieces_at_once = 1});
  EXPECT_EQ(many.compositors_at_once(job, 0), 2) << "the limit is a GPU's";
  EXPECT_EQ(many.compositors_at_once(job, 1), 1);
}

}  // namespace pytoon::render
