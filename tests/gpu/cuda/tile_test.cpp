// The frame kernel's block, step by step.
#include "gpu/cuda/tile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "gpu/cuda/cuda_device.h"
#include "gpu/cuda/layer_list.h"
#include "tests/gpu/cuda/host_cuda_api.h"
#include "tests/gpu/scene.h"

namespace pytoon::gpu::cuda {
namespace {

TEST(Tile, EndsWithTheFrame) {
  const Tile inner = tile_at({300, 50}, 1, 2);
  EXPECT_EQ(inner.x, 128);
  EXPECT_EQ(inner.y, 32);
  EXPECT_EQ(inner.width, 128);
  EXPECT_EQ(inner.height, 16);
  const Tile last = tile_at({300, 50}, 2, 3);
  EXPECT_EQ(last.width, 44);
  EXPECT_EQ(last.height, 2);
}

TEST(Tile, MakesEveryTapOnce) {
  LayerJob layer;
  layer.luma.width = layer.chroma.width = 999;
  layer.luma.height = layer.chroma.height = 999;
  layer.luma.origin_x = 0.3;
  layer.step_x = 1.7;
  TileMemory memory;
  std::memset(static_cast<void*>(&memory), 0xCD, sizeof memory);
  const Tile tile = tile_at({1080, 1920}, 2, 3);
  for (int thread = 0; thread < kThreads; ++thread) make_taps(layer, tile, memory, thread);
  const auto equal = [](const Tap& a, const Tap& b) {
    return a.first == b.first && std::equal(a.weights.tap, a.weights.tap + 4, b.weights.tap);
  };
  for (int i = 0; i < kTileWidth; ++i) {
    EXPECT_TRUE(equal(memory.luma_x[i], tap_at(0.3, 1.7, tile.x + i, 999))) << i;
  }
  for (int i = 0; i < kChromaWidth; ++i) {
    EXPECT_TRUE(equal(memory.chroma_x[i], tap_at(0, 1.7, tile.x / 2 + i, 999))) << i;
  }
  for (int i = 0; i < kTileHeight; ++i) {
    EXPECT_TRUE(equal(memory.luma_y[i], tap_at(0, 1, tile.y + i, 999))) << i;
  }
  for (int i = 0; i < kChromaHeight; ++i) {
    EXPECT_TRUE(equal(memory.chroma_y[i], tap_at(0, 1, tile.y / 2 + i, 999))) << i;
  }
}

TEST(Tile, LooksNoDeeperThanTheLayerThatHidesTheRest) {
  std::vector<LayerJob> layers(4);
  const Tile tile = tile_at({300, 50}, 1, 1);  // 128..255, 16..31
  for (LayerJob& layer : layers) layer.luma.area = {0, 0, 300, 50};
  EXPECT_EQ(last_hiding(layers.data(), 0, 4, tile), -1);
  layers[1].replaces = 1;
  layers[2].replaces = 1;
  EXPECT_EQ(last_hiding(layers.data(), 0, 4, tile), 2);
  EXPECT_EQ(last_hiding(layers.data(), 0, 2, tile), 1);
  layers[2].luma.area = {129, 0, 300, 50};
  EXPECT_EQ(last_hiding(layers.data(), 0, 4, tile), 1);
  layers[2].luma.area = {128, 16, 128, 16};
  EXPECT_EQ(last_hiding(layers.data(), 0, 4, tile), 2);
  layers[2].luma.area = {128, 16, 128, 15};
  EXPECT_EQ(last_hiding(layers.data(), 0, 4, tile), 1);
}

// Threads of one step may run in any order: with a barrier missing, or two threads at one sample,
// forwards and backwards would differ.
TEST(Tile, TheOrderOfThreadsDoesNotShow) {
  auto device = make_device_on(make_host_cuda_api(std::make_shared<HostGpu>()), 1U << 26);
  for (std::uint32_t seed = 0; seed < 60; ++seed) {
    const Scene scene = random_scene(seed);
    const Composition composition = on_device(**device, scene);
    std::vector<LayerJob> layers(layer_count_max(composition) + 1);
    FrameJob job;
    fill_layers(composition, scene.frame, layers.data(), job);
    job.layers = layers.data();
    const auto draw = [&](Order order) {
      GuardedFrame frame(scene.frame);
      const HostNv12View view = frame.view();
      job.target = {view.size, view.luma, view.luma_pitch_bytes, view.chroma,
                    view.chroma_pitch_bytes};
      run_frame_kernel(job, order);
      return frame;
    };
    const GuardedFrame forwards = draw(Order::kForwards);
    EXPECT_TRUE(forwards.guards_intact()) << "seed " << seed;
    EXPECT_TRUE(forwards == draw(Order::kBackwards)) << "seed " << seed;
  }
}

// Words where rows allow it, and bytes where they don't: the same image.
TEST(Tile, StoresWordsOrBytes) {
  TileMemory memory;
  for (int i = 0; i < kImageWords; ++i) {
    memory.image[0][i] = 0x01020304U * static_cast<std::uint32_t>(i % 50);
  }
  const Tile tile = tile_at({128 + 102, 16}, 1, 0);
  constexpr std::size_t kPitch = 232;
  const auto stored = [&](std::int32_t word_aligned) {
    alignas(4) static std::uint8_t bytes[kPitch * 24];
    std::fill(std::begin(bytes), std::end(bytes), std::uint8_t{7});
    FrameJob job;
    job.target = {{230, 16}, bytes, kPitch, bytes + kPitch * 16, kPitch};
    job.word_aligned = word_aligned;
    for (int thread = 0; thread < kThreads; ++thread) store(job, tile, memory, thread);
    return std::vector<std::uint8_t>(std::begin(bytes), std::end(bytes));
  };
  const std::vector<std::uint8_t> words = stored(1);
  EXPECT_EQ(words, stored(0));
  EXPECT_EQ(words[kPitch - 3], bytes_of(memory.image[0])[101]);
  EXPECT_EQ(words[kPitch - 2], 7);  // beyond the frame
  EXPECT_EQ(words[127], 7);         // another tile's
}

}  // namespace
}  // namespace pytoon::gpu::cuda
