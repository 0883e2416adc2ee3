// One picture on every device: the same body for each CPU level, the CUDA kernels on the host, and
// the GPU where there is one.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>

#include "gpu/cpu/cpu_device.h"
#include "gpu/memory_layout.h"
#include "tests/gpu/compare.h"
#include "tests/gpu/devices.h"
#include "tests/gpu/scene.h"
#include "tests/gpu/showcase.h"

namespace pytoon::gpu {
namespace {

constexpr std::uint32_t kScenes = 160;

// Counts what did not run, and says so last.
class SkipCount final : public ::testing::Environment {
 public:
  void TearDown() override {
    if (count_ == 0) return;
    std::printf("parity: %d tests were skipped: %s\n", count_, reason_.c_str());
  }
  void add(const std::string& reason) {
    ++count_;
    reason_ = reason;
  }

 private:
  int count_ = 0;
  std::string reason_;
};
SkipCount* const kSkipCount = [] {
  auto skips = std::make_unique<SkipCount>();
  SkipCount* const kept = skips.get();
  ::testing::AddGlobalTestEnvironment(skips.release());  // GoogleTest owns it
  return kept;
}();

class Parity : public ::testing::TestWithParam<DeviceCase> {
 protected:
  void SetUp() override {
    std::string absent;
    device_ = GetParam().make(absent);
    if (device_ != nullptr) return;
    kSkipCount->add(absent);
    GTEST_SKIP() << absent;
  }

  void expect_same(const Scene& scene, const std::string& what) {
    const GuardedFrame wanted = compose(*cpu_, scene);
    const GuardedFrame frame = compose(*device_, scene);
    EXPECT_TRUE(frame.guards_intact()) << what;
    const Error error = compare(frame, wanted);
    worst_ = {std::max(worst_.mean, error.mean), std::max(worst_.max, error.max)};
    if (GetParam().exact) {
      ASSERT_EQ(error.max, 0) << what;
    } else {
      ASSERT_LE(error.mean, kParity.mean) << what;
      ASSERT_LE(error.max, kParity.max) << what;
    }
  }

  void record() {
    RecordProperty("worst_mean", std::to_string(worst_.mean));
    RecordProperty("worst_max", std::to_string(worst_.max));
  }

  const std::unique_ptr<Device> cpu_ = make_cpu_device("baseline");
  std::unique_ptr<Device> device_;
  Error worst_;
};

TEST_P(Parity, SeededScenes) {
  for (std::uint32_t seed = 0; seed < kScenes; ++seed) {
    expect_same(random_scene(seed), "seed " + std::to_string(seed));
  }
  record();
}

TEST_P(Parity, FullSizeScenes) {
  for (const NamedScene& named : showcase_scenes()) expect_same(named.scene, named.name);
  record();
}

// Frames around the kernel's tile, 128 x 16: one more or less in each direction.
TEST_P(Parity, SizesAroundATile) {
  Scene scene = random_scene(7);
  scene.pictures = {RgbaImage({40, 31}, {90, 140, 20, 200})};
  for (const int width : {2, 126, 128, 130, 254, 258}) {
    for (const int height : {2, 14, 16, 18, 34}) {
      scene.frame = {width, height};
      scene.base = {{0, {-0.4, 0.3}, {0.2, 0.7}, {0, 0, width, height}, 256}};
      scene.incoming = {{0, {-5, 1}, {-3, 1}, {1, 1, width - 1, height - 1}, 180}};
      scene.top = {{0, {-width / 2.0 + 1, 1}, {0, 1}, {width / 2 - 1, 0, width, height}, 256}};
      scene.mix_256 = 100;
      expect_same(scene, std::to_string(width) + " x " + std::to_string(height));
    }
  }
}

// Frames of a batch get the bytes that they get alone, whatever the others are.
TEST_P(Parity, Batches) {
  for (std::uint32_t seed = 0; seed < 12; ++seed) {
    std::vector<Scene> scenes;
    for (std::size_t i = 0; i < 1 + seed % kBatchFramesMax; ++i) {
      scenes.push_back(random_scene(100 * seed + static_cast<std::uint32_t>(i)));
      scenes.back().frame = {130, 34};
    }
    std::vector<Composition> compositions;
    std::vector<GuardedFrame> frames(scenes.size(), GuardedFrame({130, 34}));
    std::vector<FrameRequest> batch;
    for (const Scene& scene : scenes) compositions.push_back(on_device(*device_, scene));
    for (std::size_t i = 0; i < scenes.size(); ++i) {
      batch.push_back({&compositions[i], frames[i].view()});
    }
    ASSERT_TRUE(device_->make_compositor()->compose_batch(batch));
    for (std::size_t i = 0; i < scenes.size(); ++i) {
      EXPECT_TRUE(frames[i] == compose(*device_, scenes[i])) << "seed " << seed << ", frame " << i;
      expect_same(scenes[i], "seed " + std::to_string(seed));
    }
  }
}

TEST_P(Parity, LargeSteps) {
  Scene scene;
  scene.frame = {66, 50};
  scene.pictures = {random_scene(3).pictures[0], RgbaImage({300, 200}, {1, 99, 200, 255})};
  for (const double step : {0.01, 3.3, 17.0, 64.0}) {
    scene.base = {{1, {-7.3, step}, {2.1, step}, {0, 0, 66, 50}, 256}};
    scene.top = {{0, {4.4, step}, {-90.5, step}, {3, 5, 51, 44}, 256}};
    expect_same(scene, "step " + std::to_string(step));
  }
}

// Many layers; some hide all beneath them in the whole frame, some in part of it.
TEST_P(Parity, LayersThatHideOthers) {
  Scene scene;
  scene.frame = {300, 70};
  scene.pictures = {RgbaImage({300, 70}, {9, 9, 200, 255}), RgbaImage({90, 90}, {200, 9, 9, 255}),
                    RgbaImage({50, 40}, {0, 255, 0, 100})};
  const auto at = [](std::size_t picture, int x, int y, int width, int height) {
    return SceneLayer{picture, {-double(x), 1}, {-double(y), 1}, {x, y, width, height}, 256};
  };
  scene.base = {at(2, 3, 3, 50, 40), at(0, 0, 0, 300, 70), at(1, 128, 16, 90, 54)};
  scene.incoming = {at(1, 0, 0, 90, 70), at(2, 20, 9, 50, 40)};
  scene.mix_256 = 77;
  for (int n = 0; n < 40; ++n) scene.top.push_back(at(2, 7 * n, n, 50, 40));
  scene.top.push_back(at(0, 128, 0, 128, 33));
  scene.top.push_back(at(2, 140, 1, 50, 40));
  expect_same(scene, "hiding");
}

// A frame in host memory, of a size that is odd in both directions.
TEST_P(Parity, AdoptedFrames) {
  constexpr Size kSize{51, 37};
  std::vector<std::uint8_t> bytes(64 * (37 + 19));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(20 + i % 200);
  Nv12Frame picture;
  picture.size = kSize;
  picture.luma = bytes.data();
  picture.luma_pitch_bytes = 64;
  picture.chroma = bytes.data() + 64 * 37;
  picture.chroma_pitch_bytes = 64;
  const auto draw = [&](Device& device) {
    Composition composition;
    composition.base.push_back(
        {*device.adopt(picture), {-0.3, 0.71}, {1.2, 0.71}, {0, 0, 60, 48}, 256});
    composition.top.push_back({*device.adopt(picture), {-8, 1}, {-2, 1}, {8, 2, 30, 30}, 99});
    GuardedFrame frame({60, 48});
    EXPECT_TRUE(device.make_compositor()->compose(composition, frame.view()));
    EXPECT_TRUE(frame.guards_intact());
    return frame;
  };
  const Error error = compare(draw(*device_), draw(*cpu_));
  EXPECT_LE(error.mean, GetParam().exact ? 0 : kParity.mean);
  EXPECT_LE(error.max, GetParam().exact ? 0 : kParity.max);
}

TEST_P(Parity, MatchesTheReference) {
  for (std::uint32_t seed = 0; seed < kScenes; ++seed) {
    const Scene scene = random_scene(seed);
    ReferenceFrame reference = reference_compose(scene);
    const Error error = compare(compose(*device_, scene), reference);
    EXPECT_LE(error.mean, 0.6 + (GetParam().exact ? 0 : kParity.mean)) << "seed " << seed;
    EXPECT_LE(error.max, 3.5 + (GetParam().exact ? 0 : kParity.max)) << "seed " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, Parity, ::testing::ValuesIn(all_devices()),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace pytoon::gpu
