// The CPU device against the reference, and its levels against each other.
#include "gpu/cpu/cpu_compositor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gpu/cpu/cpu_device.h"
#include "gpu/cpu/cpu_texture.h"
#include "tests/gpu/compare.h"
#include "tests/gpu/reference.h"
#include "tests/gpu/scene.h"

namespace pytoon::gpu {
namespace {

TEST(CpuCompositor, MatchesTheReferenceOnRandomScenes) {
  const auto device = make_cpu_device();
  Error worst;
  for (std::uint32_t seed = 0; seed < kScenes; ++seed) {
    const Scene scene = random_scene(seed);
    const GuardedFrame frame = compose(*device, scene);
    ReferenceFrame reference = reference_compose(scene);
    const Error error = compare(frame, reference);
    EXPECT_LE(error.mean, 0.6) << "seed " << seed;
    EXPECT_LE(error.max, 3.5) << "seed " << seed;
    EXPECT_TRUE(frame.guards_intact()) << "seed " << seed;
    worst = {std::max(worst.mean, error.mean), std::max(worst.max, error.max)};
  }
  RecordProperty("worst_mean", std::to_string(worst.mean));
  RecordProperty("worst_max", std::to_string(worst.max));
}

// The compositor skips a picture's transparent surroundings: not one pixel too many.
TEST(CpuCompositor, ContentShowsAsFarAsItsTapsReach) {
  for (const int at : {0, 1, 6, 11, 12}) {
    Scene scene;
    scene.frame = {90, 90};
    scene.pictures = {RgbaImage({13, 13}, {0, 0, 0, 0}), RgbaImage({1, 1}, {0, 0, 255, 255})};
    std::fill_n(scene.pictures[0].at(at, 12 - at), 4, std::uint8_t{255});
    scene.base = {{1, {}, {}, {0, 0, 90, 90}, 256}};
    scene.top = {{0, {-2.3, 0.2}, {-1.6, 0.2}, {0, 0, 90, 90}, 256}};
    ReferenceFrame reference = reference_compose(scene);
    EXPECT_LE(compare(compose(*make_cpu_device(), scene), reference).max, 1.5) << "pixel " << at;
  }
}

TEST(CpuCompositor, EveryLevelGivesTheSameBytes) {
  const auto baseline = make_cpu_device("baseline");
  ASSERT_NE(baseline, nullptr);
  for (const std::string& level : cpu_levels()) {
    const auto device = make_cpu_device(level);
    ASSERT_NE(device, nullptr);
    for (std::uint32_t seed = 0; seed < kScenes; ++seed) {
      const Scene scene = random_scene(seed);
      ASSERT_TRUE(compose(*device, scene) == compose(*baseline, scene)) << level << ' ' << seed;
    }
  }
}

TEST(CpuCompositor, ACompositorMayDrawScenesOfAnySizeInTurn) {
  const auto device = make_cpu_device();
  const auto compositor = device->make_compositor();
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    const Scene scene = random_scene(seed);
    GuardedFrame frame(scene.frame);
    ASSERT_TRUE(compositor->compose(on_device(*device, scene), frame.view()).ok());
    ASSERT_TRUE(frame == compose(*device, scene)) << "seed " << seed;
  }
}

// A picture of random pixels drawn at a whole, even offset.
TEST(CpuCompositor, IdentityIsTheUploadBitForBit) {
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    Scene scene = random_scene(seed);
    const CpuTexture texture(scene.pictures[0], baseline_kernels());
    const Size size = texture.size();
    scene.frame = {size.width / 2 * 2 + 4, size.height / 2 * 2 + 4};
    scene.base = {{0, {-2, 1}, {-2, 1}, {2, 2, size.width, size.height}, 256}};
    scene.incoming.clear();
    scene.top.clear();
    scene.mix_256 = 0;
    const GuardedFrame frame = compose(*make_cpu_device(), scene);
    const auto alpha_at = [](const Plane* plane, int y, int byte) {
      return plane == nullptr ? 255 : plane->row(y)[byte];
    };
    const auto over = [](int back, int colour, int alpha) {
      return colour + div255(static_cast<std::uint16_t>(back * (255 - alpha)));
    };
    for (int y = 0; y < size.height; ++y) {
      for (int x = 0; x < size.width; ++x) {
        const int alpha = alpha_at(texture.luma_alpha(), y, x);
        ASSERT_EQ(frame.luma(x + 2, y + 2), over(16, texture.luma().row(y)[x], alpha));
      }
    }
    for (int y = 0; y < texture.chroma().height; ++y) {
      for (int x = 0; x < 2 * texture.chroma().width; ++x) {
        const int alpha = alpha_at(texture.chroma_alpha(), y, x);
        ASSERT_EQ(frame.chroma(x / 2 + 1, y + 1, x % 2),
                  over(128, texture.chroma().row(y)[x], alpha));
      }
    }
  }
}

TEST(CpuDevice, SaysWhatItIs) {
  const auto device = make_cpu_device("baseline");
  EXPECT_EQ(device->kind(), "cpu");
  EXPECT_EQ(device->description(), "cpu (baseline)");
  EXPECT_EQ(device->crossings(), 0U);
  EXPECT_EQ(make_cpu_device("x86-64-v9"), nullptr);
  EXPECT_EQ(cpu_levels().front(), "baseline");
  EXPECT_EQ(make_cpu_device()->description(), "cpu (" + cpu_levels().back() + ")");
}

TEST(CpuDevice, TexturesKnowTheirShape) {
  const auto device = make_cpu_device();
  const auto texture = device->upload(RgbaImage({3, 5}, {1, 2, 3, 255})).value();
  EXPECT_EQ(texture->size(), (Size{3, 5}));
  EXPECT_TRUE(texture->opaque());
  RgbaImage image({3, 5}, {1, 2, 3, 255});
  image.at(2, 4)[3] = 254;
  EXPECT_FALSE(device->upload(image).value()->opaque());
}

TEST(CpuDeviceDeathTest, RefusesBrokenPromises) {
  const auto device = make_cpu_device();
  const auto compositor = device->make_compositor();
  GuardedFrame frame({8, 8});
  Composition nothing;
  const HostNv12View host = frame.view();
  const CudaNv12View on_card{host.size, host.luma, host.luma_pitch_bytes, host.chroma,
                             host.chroma_pitch_bytes};
  EXPECT_DEATH((void)compositor->compose(nothing, on_card), "host memory");
  GuardedFrame larger({10, 8});
  const FrameRequest unequal[] = {{&nothing, host}, {&nothing, larger.view()}};
  EXPECT_DEATH((void)compositor->compose_batch(unequal), "one size");
  EXPECT_DEATH((void)compositor->compose_batch({}), "1 to 16");
  Composition no_texture;
  no_texture.top.push_back({nullptr, {}, {}, {0, 0, 8, 8}, 256});
  EXPECT_DEATH((void)compositor->compose(no_texture, frame.view()), "needs a texture");
  EXPECT_DEATH((void)device->upload(RgbaImage{}), "needs pixels");
}

}  // namespace
}  // namespace pytoon::gpu
