#include "pipeline/render/shot_clip.h"

#include <gtest/gtest.h>

namespace pytoon::render {
namespace {

struct FakeTexture final : gpu::Texture {
  explicit FakeTexture(gpu::Size s) : size_(s) {}
  gpu::Size size() const override { return size_; }
  bool opaque() const override { return true; }
  gpu::Size size_;
};

ShotClip shot_clip(int clip_frames, plan::FrameSpan shot, int before = 0) {
  auto index = std::make_shared<media::ClipIndex>();
  index->times = {1, 30, {}, clip_frames};
  for (int i = 0; i < clip_frames; ++i) index->times.starts.push_back(i);
  return {index, {0, 0, 1080, 1920}, shot, before};
}

TEST(ShotClip, BeginsWithTheShotAndLoops) {
  const ShotClip clip = shot_clip(40, {90, 180});
  EXPECT_EQ(clip.index_at(90), 0U);
  EXPECT_EQ(clip.index_at(129), 39U);
  EXPECT_EQ(clip.index_at(130), 0U);
  EXPECT_EQ(clip.index_at(179), 9U);
}

TEST(ShotClip, ATransitionOutBorrowsTheFramesThatFollow) {
  const ShotClip longer = shot_clip(100, {0, 90});
  EXPECT_EQ(longer.index_at(90), 90U);
  EXPECT_EQ(longer.index_at(94), 94U);
}

TEST(ShotClip, ATransitionOutHoldsTheLastFrameOfAClipThatEnds) {
  const ShotClip just = shot_clip(45, {0, 90});
  EXPECT_EQ(just.index_at(89), 44U);
  EXPECT_EQ(just.index_at(90), 44U);
  EXPECT_EQ(just.index_at(94), 44U);
}

TEST(ShotClip, GoesOnWhereAnEarlierShotLeftIt) {
  const ShotClip clip = shot_clip(100, {180, 270}, 90);
  EXPECT_EQ(clip.index_at(180), 90U);
  EXPECT_EQ(clip.index_at(189), 99U);
  EXPECT_EQ(clip.index_at(190), 0U);
}

// The texture coordinate of a frame pixel's middle, along x.
double across(const gpu::Layer& layer, double frame) {
  return layer.x.origin + layer.x.step * (frame + 0.5) - 0.5;
}

TEST(ShotClip, TheWholeTextureLiesOnItsPlace) {
  ShotClip clip = shot_clip(1, {0, 90});
  clip.place = {-120, 0, 1320, 1920};
  std::vector<gpu::Layer> layers;
  add_clip_layers(clip, std::make_shared<FakeTexture>(gpu::Size{660, 960}), layers);
  ASSERT_EQ(layers.size(), 1U);
  EXPECT_DOUBLE_EQ(layers[0].x.step, 0.5);
  EXPECT_DOUBLE_EQ(across(layers[0], -120.5), -0.5);  // edge on edge
  EXPECT_DOUBLE_EQ(across(layers[0], 1199.5), 659.5);
  EXPECT_EQ(layers[0].clip, (gpu::Rect{0, 0, 1080, 1920}));
}

TEST(ShotClip, ALargeTextureIsTheMeanOfSeveralSamples) {
  ShotClip clip = shot_clip(1, {0, 90});
  clip.place = {100, 200, 600, 800};
  std::vector<gpu::Layer> layers;
  add_clip_layers(clip, std::make_shared<FakeTexture>(gpu::Size{1200, 1600}), layers);
  ASSERT_EQ(layers.size(), 4U);
  double mean = 0;
  double weight_left = 1;
  double x = 0;
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    const double weight = weight_left * layer->opacity_256 / 256;
    weight_left -= weight;
    EXPECT_NEAR(weight, 0.25, 0.005);
    x += weight * across(*layer, 100);
    mean += weight;
  }
  EXPECT_NEAR(mean, 1, 1e-9);
  EXPECT_NEAR(x, 0.5, 0.01);  // frame pixel 100 covers texture pixels 0 and 1
  EXPECT_EQ(layers[0].clip, (gpu::Rect{100, 200, 600, 800}));
}

}  // namespace
}  // namespace pytoon::render
