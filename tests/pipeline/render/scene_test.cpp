#include "pipeline/render/scene.h"

#include <gtest/gtest.h>

#include "pipeline/plan/planner.h"

namespace pytoon::render {
namespace {

struct FakeTexture final : gpu::Texture {
  explicit FakeTexture(gpu::Size s) : size_(s) {}
  gpu::Size size() const override { return size_; }
  bool opaque() const override { return true; }
  gpu::Size size_;
};

struct NoClips final : ClipFrames {
  Result<std::shared_ptr<const gpu::Texture>> texture(const ShotClip&, int) override {
    return failure(FailureKind::kInternal, "there are no clips here");
  }
};

Scene two_shots(double amplitude, std::vector<CaptionLayer> captions = {}) {
  spec::RenderSpec spec;
  spec.assets.images = {"a", "b"};
  spec.segments = {{0, 3, ""}, {1, 3, ""}};
  const plan::Timeline timeline = plan::make_timeline(spec);
  std::vector<ShotImage> shots;
  for (const plan::Shot& shot : timeline.shots) {
    shots.push_back({shot.frames,
                     std::make_shared<FakeTexture>(gpu::Size{1134, 2016}),
                     CameraPath(5, shot, amplitude, false),
                     {}});
  }
  return Scene({spec.output,
                {0, timeline.frames},
                timeline.transition_frames,
                std::move(shots),
                std::nullopt,
                std::move(captions)});
}

TEST(Scene, TransitionLiesAtTheStartOfTheIncomingSegment) {
  const Scene scene = two_shots(0.05);
  gpu::Composition frame;
  NoClips none;
  ASSERT_TRUE(scene.evaluate(89, none, frame));
  EXPECT_EQ(frame.mix_256, 0);
  int last_mix = 0;
  for (int i = 90; i < 95; ++i) {
    ASSERT_TRUE(scene.evaluate(i, none, frame));
    EXPECT_EQ(frame.base.size(), 1U);
    EXPECT_EQ(frame.incoming.size(), 1U);
    EXPECT_GT(frame.mix_256, last_mix);
    EXPECT_LT(frame.mix_256, 256);
    last_mix = frame.mix_256;
  }
  ASSERT_TRUE(scene.evaluate(95, none, frame));
  EXPECT_EQ(frame.mix_256, 0);
  EXPECT_TRUE(frame.incoming.empty());
}

TEST(Scene, TheMovingImageAlwaysCoversTheFrame) {
  const Scene scene = two_shots(0.05);
  gpu::Composition frame;
  NoClips none;
  for (int i = 0; i < 180; ++i) {
    ASSERT_TRUE(scene.evaluate(i, none, frame));
    for (const auto* layers : {&frame.base, &frame.incoming}) {
      for (const gpu::Layer& layer : *layers) {
        EXPECT_GE(layer.x.origin, -1e-9);
        EXPECT_GE(layer.y.origin, -1e-9);
        EXPECT_LE(layer.x.origin + layer.x.step * 1080, 1134 + 1e-6);
        EXPECT_LE(layer.y.origin + layer.y.step * 1920, 2016 + 1e-6);
      }
    }
  }
}

TEST(Scene, CaptionsShowOnTheirFramesOnly) {
  const auto texture = std::make_shared<FakeTexture>(gpu::Size{100, 50});
  const Scene scene = two_shots(0, {{{0, 60}, fixed_layer(texture, {10, 20, 100, 50})},
                                    {{60, 180}, fixed_layer(texture, {10, 80, 100, 50})}});
  gpu::Composition frame;
  NoClips none;
  ASSERT_TRUE(scene.evaluate(59, none, frame));
  ASSERT_EQ(frame.top.size(), 1U);
  EXPECT_EQ(frame.top[0].clip.y, 20);
  ASSERT_TRUE(scene.evaluate(60, none, frame));
  ASSERT_EQ(frame.top.size(), 1U);
  EXPECT_EQ(frame.top[0].clip.y, 80);
}

}  // namespace
}  // namespace pytoon::render
