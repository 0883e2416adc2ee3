#include "gpu/cuda/layer_list.h"

#include <gtest/gtest.h>

#include "gpu/cuda/cuda_device.h"
#include "gpu/cuda/cuda_texture.h"
#include "tests/gpu/cuda/host_cuda_api.h"

namespace pytoon::gpu::cuda {
namespace {

TEST(TextureLayout, PlanesFollowEachOtherOnWholeLines) {
  const TextureLayout opaque = texture_layout({1081, 1919}, true);
  EXPECT_EQ(opaque.luma_pitch_bytes, 1152U);
  EXPECT_EQ(opaque.chroma_pitch_bytes, 1152U);  // 541 pairs
  EXPECT_EQ(opaque.luma, 0U);
  EXPECT_EQ(opaque.chroma, 1152U * 1919);
  EXPECT_EQ(opaque.bytes, 1152U * (1919 + 960));
  EXPECT_EQ(opaque.luma_alpha, 0U);
  const TextureLayout clear = texture_layout({1081, 1919}, false);
  EXPECT_EQ(clear.luma_alpha, opaque.bytes);
  EXPECT_EQ(clear.chroma_alpha, opaque.bytes + 1152U * 1919);
  EXPECT_EQ(clear.chroma_alpha_pitch_bytes, 640U);
  EXPECT_EQ(clear.bytes, clear.chroma_alpha + 640U * 960);
}

TEST(TextureLayout, TheSmallestImage) {
  const TextureLayout layout = texture_layout({1, 1}, false);
  EXPECT_EQ(layout.bytes, 4U * 128);
}

class LayerList : public ::testing::Test {
 protected:
  std::shared_ptr<const Texture> texture(Size size, Rgba colour) {
    return *device_->upload(RgbaImage(size, colour));
  }
  static Layer at(const std::shared_ptr<const Texture>& texture, Rect clip) {
    return {texture, {-double(clip.x), 1}, {-double(clip.y), 1}, clip, 256};
  }

  std::unique_ptr<Device> device_ = std::move(
      *make_device_on(make_host_cuda_api(std::make_shared<HostGpu>()), std::uint64_t{1} << 24));
  std::shared_ptr<const Texture> opaque_ = texture({50, 40}, {1, 2, 3, 255});
  std::shared_ptr<const Texture> clear_ = texture({50, 40}, {1, 2, 3, 90});
  std::vector<LayerJob> jobs_{8};
  FrameJob job_;
};

TEST_F(LayerList, KeepsTheOrderAndDropsWhatIsInvisible) {
  Composition composition;
  composition.base = {at(opaque_, {0, 0, 50, 40}), at(opaque_, {200, 0, 50, 40}),
                      at(clear_, {10, 10, 50, 40})};
  composition.incoming = {at(opaque_, {-60, 0, 50, 40}), at(clear_, {0, 0, 50, 40})};
  composition.mix_256 = 10;
  composition.top = {at(clear_, {2, 2, 50, 40}), at(opaque_, {4, 4, 50, 40})};
  composition.top[0].opacity_256 = 0;
  EXPECT_EQ(layer_count_max(composition), 7U);
  fill_layers(composition, {100, 60}, jobs_.data(), job_);
  EXPECT_EQ(job_.base_count, 2);
  EXPECT_EQ(job_.incoming_count, 1);
  EXPECT_EQ(job_.top_count, 1);
  EXPECT_EQ(job_.mix_256, 10);
  EXPECT_EQ(jobs_[0].luma.area, (Rect{0, 0, 50, 40}));
  EXPECT_EQ(jobs_[1].luma.area, (Rect{10, 10, 50, 40}));
  EXPECT_EQ(jobs_[2].luma.area, (Rect{0, 0, 50, 40}));
  EXPECT_EQ(jobs_[3].luma.area, (Rect{4, 4, 50, 40}));
  EXPECT_EQ(jobs_[3].chroma.area, (Rect{2, 2, 25, 20}));
}

TEST_F(LayerList, TheEndsOfAMixNeedOneSideOnly) {
  Composition composition;
  composition.base = {at(opaque_, {0, 0, 50, 40})};
  composition.incoming = {at(clear_, {0, 0, 50, 40}), at(clear_, {1, 0, 50, 40})};
  fill_layers(composition, {100, 60}, jobs_.data(), job_);
  EXPECT_EQ(job_.base_count, 1);
  EXPECT_EQ(job_.incoming_count, 0);
  composition.mix_256 = 256;
  fill_layers(composition, {100, 60}, jobs_.data(), job_);
  EXPECT_EQ(job_.base_count, 2);
  EXPECT_EQ(job_.incoming_count, 0);
  EXPECT_EQ(job_.mix_256, 0);
}

TEST_F(LayerList, SaysWhichPlanesAreTakenAsTheyAre) {
  Composition composition;
  composition.base = {at(opaque_, {4, 6, 50, 40}), at(opaque_, {3, 5, 50, 40}),
                      at(opaque_, {4, 6, 50, 40}), at(opaque_, {4, 6, 60, 40})};
  composition.base[2].x.step = 0.5;
  fill_layers(composition, {100, 60}, jobs_.data(), job_);
  EXPECT_EQ(jobs_[0].luma.as_is, 1);
  EXPECT_EQ(jobs_[0].luma.shift_x, -4);
  EXPECT_EQ(jobs_[0].chroma.as_is, 1);
  EXPECT_EQ(jobs_[0].chroma.shift_y, -3);
  EXPECT_EQ(jobs_[1].luma.as_is, 1);
  EXPECT_EQ(jobs_[1].chroma.as_is, 0);  // half a sample off
  EXPECT_EQ(jobs_[2].luma.as_is, 0);
  EXPECT_EQ(jobs_[3].luma.as_is, 0);  // reaches beyond the picture
}

TEST_F(LayerList, OnlyOpaqueLayersAtFullOpacityHideOthers) {
  Composition composition;
  composition.base = {at(opaque_, {0, 0, 50, 40}), at(opaque_, {0, 0, 50, 40}),
                      at(clear_, {0, 0, 50, 40})};
  composition.base[1].opacity_256 = 255;
  fill_layers(composition, {100, 60}, jobs_.data(), job_);
  EXPECT_EQ(jobs_[0].replaces, 1);
  EXPECT_EQ(jobs_[1].replaces, 0);
  EXPECT_EQ(jobs_[2].replaces, 0);
  EXPECT_EQ(jobs_[0].luma.alpha, nullptr);
  EXPECT_NE(jobs_[2].luma.alpha, nullptr);
  EXPECT_NE(jobs_[2].chroma.alpha, nullptr);
}

}  // namespace
}  // namespace pytoon::gpu::cuda
