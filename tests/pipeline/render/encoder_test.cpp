#include <nlohmann/json.hpp>

#include "pipeline/media/video_probe.h"
#include "tests/pipeline/media/nvidia/fake_cuda_device.h"
#include "tests/pipeline/render/frame_fixture.h"

namespace pytoon::render {

class EncoderTest : public FrameTest {
 protected:
  void SetUp() override {
    FrameTest::SetUp();
    fake_nvenc_reset({1000, 0, -1});
    device_ = std::make_unique<testing_support::FakeCudaDevice>();
    spec::JobRequest request;
    request.preset_id = "product_hero_clean";
    request.target_duration_seconds = 1;
    job_ = job_of(request, gpu::RgbaImage({540, 960}, {90, 120, 40, 255}));
  }
  media::EncoderChoice choose() {
    auto choice = media::choose_encoder({}, *device_, folder_ / "cache");
    EXPECT_TRUE(choice) << choice.failure().detail;
    return *choice;
  }
  Status render(SceneRenderer& renderer) {
    return renderer.render_segment(job_, 0, folder_ / "s.mp4", {}, [](int) {});
  }

  RenderJob job_;
};

TEST_F(EncoderTest, FramesCrossNeverWithNvencAndOnceWithX264) {
  SceneRenderer renderer(*device_, *fonts_, choose());
  job_.encoder = "h264_nvenc";
  ASSERT_TRUE(render(renderer));
  const std::uint64_t before = device_->crossings();
  ASSERT_TRUE(render(renderer));
  EXPECT_EQ(device_->crossings(), before);
  EXPECT_EQ(fake_cuda_copies(), 0);
  EXPECT_EQ(renderer.facts(job_)["crossings_per_frame"], 0);
  EXPECT_EQ(media::probe_video(folder_ / "s.mp4")->frames, 30);
  job_.encoder = "libx264";
  ASSERT_TRUE(render(renderer));
  EXPECT_EQ(device_->crossings(), before + 30);  // the scene is that of the other encoder
  EXPECT_EQ(renderer.facts(job_)["crossings_per_frame"], 1);
}

TEST_F(EncoderTest, ASegmentHasOneCompositorWithNvencAndABoundedNumberWithX264) {
  spec::JobRequest request;
  request.preset_id = "product_hero_clean";
  request.target_duration_seconds = 3;
  job_ = job_of(request, gpu::RgbaImage({540, 960}, {90, 120, 40, 255}));
  SceneRenderer free(*device_, *fonts_, choose(), {.pool = std::make_shared<PiecePool>(8)});
  SceneRenderer bound(*device_, *fonts_, choose(),
                      {.pool = std::make_shared<PiecePool>(8), .gpu_pieces_at_once = 1});
  job_.encoder = "h264_nvenc";
  EXPECT_EQ(free.compositors_at_once(job_, 0), 1);
  job_.encoder = "libx264";
  EXPECT_EQ(free.compositors_at_once(job_, 0), 2);
  EXPECT_EQ(bound.compositors_at_once(job_, 0), 1);
}

TEST_F(EncoderTest, TheBestIsTakenWhenTheJobNamesNone) {
  SceneRenderer renderer(*device_, *fonts_, choose());
  EXPECT_EQ(renderer.facts(job_)["encoder"], "h264_nvenc");
  fake_nvenc_reset({1000, 2, -1});
  SceneRenderer without(*device_, *fonts_, choose());
  EXPECT_EQ(without.facts(job_)["encoder"], "libx264");
}

TEST_F(EncoderTest, KeysTellTheEncoderAlsoWhereItIsNot) {
  SceneRenderer renderer(*device_, *fonts_, choose());
  const auto cpu = gpu::make_cpu_device();
  SceneRenderer elsewhere(*cpu, *fonts_, *media::choose_encoder({}, *cpu, folder_));
  job_.encoder = "h264_nvenc";
  const auto nvenc = *renderer.content_keys(job_);
  EXPECT_EQ(*elsewhere.content_keys(job_), nvenc);
  EXPECT_EQ(elsewhere.encoders().front().name, "h264_nvenc");
  EXPECT_NE(elsewhere.encoders().front().unavailable, "");
  job_.encoder = "libx264";
  EXPECT_NE(*renderer.content_keys(job_), nvenc);
}

TEST_F(EncoderTest, AQualityIsTheEncodersGradeAndHasKeysOfItsOwn) {
  media::EncoderPreference preference;
  preference.x264_grades["draft"] = {.preset = "ultrafast", .crf = 30};
  preference.nvenc_grades["draft"] = {
      .codec = media::kCodecNvenc, .preset = "p1", .crf = 30, .b_frames = 2};
  SceneRenderer renderer(*device_, *fonts_,
                         *media::choose_encoder(preference, *device_, folder_ / "cache"));
  for (const auto& [encoder, preset, draft] :
       {std::tuple{"libx264", "veryfast", "ultrafast"}, std::tuple{"h264_nvenc", "p5", "p1"}}) {
    job_.encoder = encoder;
    job_.spec.quality = spec::Quality::kBalanced;
    const auto balanced = *renderer.content_keys(job_);
    EXPECT_EQ(renderer.facts(job_)["encoder_preset"], preset);
    job_.spec.quality = spec::Quality::kBest;  // for which nothing is said: as balanced
    EXPECT_EQ(*renderer.content_keys(job_), balanced);
    job_.spec.quality = spec::Quality::kDraft;
    EXPECT_NE(*renderer.content_keys(job_), balanced);
    EXPECT_EQ(renderer.facts(job_)["encoder_preset"], draft);
    EXPECT_EQ(renderer.facts(job_)["quality"], "draft");
  }
  job_.encoder = "libx264";
  ASSERT_TRUE(render(renderer));
  const auto size = std::filesystem::file_size(folder_ / "s.mp4");
  job_.spec.quality = spec::Quality::kBalanced;
  ASSERT_TRUE(render(renderer));
  EXPECT_NE(std::filesystem::file_size(folder_ / "s.mp4"), size);
}

TEST_F(EncoderTest, AnEncoderThatIsNotHereIsAnEncoderFailure) {
  fake_nvenc_reset({1000, 2, -1});
  SceneRenderer renderer(*device_, *fonts_, choose());
  job_.encoder = "h264_nvenc";
  const Status rendered = render(renderer);
  ASSERT_FALSE(rendered);
  EXPECT_EQ(rendered.failure().kind, FailureKind::kEncoder);
}

// A lost context shows as an NVENC that fails: blaming the encoder would have x264 draw on the same
// dead card, again and again.
TEST_F(EncoderTest, AnEncoderThatFailsOnALostDeviceIsALostDevice) {
  auto device = std::make_unique<testing_support::FakeCudaDevice>();
  testing_support::FakeCudaDevice& card = *device;
  device_ = std::move(device);
  SceneRenderer renderer(*device_, *fonts_, choose());
  job_.encoder = "h264_nvenc";
  fake_nvenc_reset({1000, 0, 3});
  const Status refused = render(renderer);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kEncoder) << refused.failure().detail;
  fake_nvenc_reset({1000, 0, 3});
  card.lost = true;
  const Status lost = render(renderer);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.failure().kind, FailureKind::kDeviceLost);
  EXPECT_NE(lost.failure().detail.find(refused.failure().detail), std::string::npos)
      << lost.failure().detail;
}

}  // namespace pytoon::render
