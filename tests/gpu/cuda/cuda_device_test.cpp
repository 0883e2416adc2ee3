// The CUDA device's host side: what it owns, waits for, counts and survives. Kernels run on the
// host.
#include "gpu/cuda/cuda_device.h"

#include <gtest/gtest.h>

#include <cstring>

#include "gpu/cpu/cpu_device.h"
#include "gpu/memory_layout.h"
#include "tests/gpu/cuda/host_cuda_api.h"
#include "tests/gpu/scene.h"

namespace pytoon::gpu::cuda {
namespace {

constexpr std::uint64_t kBudget = 1 << 24;

class CudaDeviceTest : public ::testing::Test {
 protected:
  std::unique_ptr<Device> make(std::uint64_t budget_bytes = kBudget) {
    auto device = make_device_on(make_host_cuda_api(host_), budget_bytes);
    EXPECT_TRUE(device) << device.failure().detail;
    return std::move(*device);
  }

  const std::shared_ptr<HostGpu> host_ = std::make_shared<HostGpu>();
};

TEST_F(CudaDeviceTest, SaysWhatItIs) {
  const auto device = make();
  EXPECT_EQ(device->kind(), "cuda");
  EXPECT_EQ(device->description(), "kernels on the host");
  EXPECT_EQ(device->cuda_handles()->context, host_.get());
  EXPECT_EQ(device->crossings(), 0U);
  EXPECT_EQ(device->memory_use()->budget_bytes, kBudget);
  EXPECT_EQ(device->memory_use()->used_bytes, 0U);
}

TEST_F(CudaDeviceTest, LeavesNothingBehind) {
  {
    const auto device = make();
    (void)compose(*device, scene_of_all_kinds());
  }
  EXPECT_TRUE(host_->clean());
}

TEST_F(CudaDeviceTest, TexturesMayOutliveTheDevice) {
  Composition composition;
  {
    const auto device = make();
    composition = on_device(*device, scene_of_all_kinds());
  }
  EXPECT_EQ(host_->device_memory.size(), 2U);
  composition = {};
  EXPECT_TRUE(host_->clean());
}

TEST_F(CudaDeviceTest, AllocatesNothingAfterTheFirstFrame) {
  const auto device = make();
  const auto compositor = device->make_compositor();
  Composition composition = on_device(*device, scene_of_all_kinds());
  GuardedFrame frame({64, 64});
  ASSERT_TRUE(compositor->compose(composition, frame.view()));
  const int before = host_->allocations;
  for (int n = 0; n < 10; ++n) {
    composition.base[0].x.origin += 0.3;
    composition.top.push_back(composition.top[0]);
    ASSERT_TRUE(compositor->compose(composition, frame.view()));
  }
  EXPECT_EQ(host_->allocations, before);
}

// A whole batch costs one copy of layers, one launch, one wait; frames bound for the host one copy
// more. None allocates once the first of its size is drawn.
TEST_F(CudaDeviceTest, ABatchIsOneLaunchAndOneWait) {
  const auto device = make();
  const auto compositor = device->make_compositor();
  const Composition composition = on_device(*device, scene_of_all_kinds());
  for (const bool to_host : {true, false}) {
    std::vector<GuardedFrame> frames(kBatchFramesMax, GuardedFrame({64, 64}));
    std::vector<FrameRequest> batch;
    for (GuardedFrame& frame : frames) {
      const HostNv12View view = frame.view();
      const Nv12Target on_card = CudaNv12View{view.size, view.luma, view.luma_pitch_bytes,
                                              view.chroma, view.chroma_pitch_bytes};
      batch.push_back({&composition, to_host ? Nv12Target(view) : on_card});
    }
    ASSERT_TRUE(compositor->compose_batch(batch));
    const HostGpu before = *host_;
    const std::uint64_t crossings = device->crossings();
    for (const std::size_t count : {kBatchFramesMax, std::size_t{1}, std::size_t{5}}) {
      ASSERT_TRUE(compositor->compose_batch({batch.data(), count}));
    }
    EXPECT_EQ(host_->launches - before.launches, 3);
    EXPECT_EQ(host_->frames - before.frames, static_cast<int>(kBatchFramesMax) + 6);
    EXPECT_EQ(host_->waits - before.waits, 3);
    EXPECT_EQ(host_->copies - before.copies, to_host ? 6 : 3);
    EXPECT_EQ(host_->allocations, before.allocations);
    EXPECT_EQ(device->crossings() - crossings, to_host ? kBatchFramesMax + 6 : 0);
  }
}

TEST_F(CudaDeviceTest, ACompositorMayDrawScenesOfAnySizeInTurn) {
  const auto device = make();
  const auto compositor = device->make_compositor();
  const auto cpu = make_cpu_device();
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    const Scene random = random_scene(seed);
    GuardedFrame frame(random.frame);
    ASSERT_TRUE(compositor->compose(on_device(*device, random), frame.view()));
    ASSERT_TRUE(frame == compose(*cpu, random)) << "seed " << seed;
  }
  EXPECT_TRUE(host_->faults.empty());
}

TEST_F(CudaDeviceTest, CountsCrossings) {
  const auto device = make();
  const Composition composition = on_device(*device, scene_of_all_kinds());
  EXPECT_EQ(device->crossings(), 0U);  // pictures are no frames
  const auto compositor = device->make_compositor();
  GuardedFrame frame({64, 64});
  ASSERT_TRUE(compositor->compose(composition, frame.view()));
  EXPECT_EQ(device->crossings(), 1U);

  std::vector<std::uint8_t> there(64 * 96);
  CudaNv12View view{{64, 64}, there.data(), 64, there.data() + 64 * 64, 64};
  ASSERT_TRUE(compositor->compose(composition, view));
  EXPECT_EQ(device->crossings(), 1U);

  Nv12Frame picture{Memory::kHost, {64, 64}, there.data(), 64, there.data() + 64 * 64, 64, {}};
  ASSERT_TRUE(device->adopt(picture));
  EXPECT_EQ(device->crossings(), 2U);
  picture.memory = Memory::kCuda;
  ASSERT_TRUE(device->adopt(picture));
  EXPECT_EQ(device->crossings(), 2U);
}

// Straight into device memory, whatever its alignment: no byte beside the picture is touched.
TEST_F(CudaDeviceTest, DrawsIntoDeviceFrames) {
  const auto device = make();
  const auto cpu = make_cpu_device();
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    const Scene random = random_scene(seed);
    GuardedFrame frame(random.frame);  // odd pitches
    const HostNv12View host = frame.view();
    const CudaNv12View odd{host.size, host.luma, host.luma_pitch_bytes, host.chroma,
                           host.chroma_pitch_bytes};
    const Composition composition = on_device(*device, random);
    ASSERT_TRUE(device->make_compositor()->compose(composition, odd));
    EXPECT_TRUE(frame == compose(*cpu, random)) << "seed " << seed;
  }
}

TEST_F(CudaDeviceTest, KeepsAFrameOfTheDevicesMemoryAndCopiesNothing) {
  const auto device = make();
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(64 * 96, std::uint8_t{99});
  const std::weak_ptr<std::vector<std::uint8_t>> watch = bytes;
  const int before = host_->allocations;
  auto texture = device->adopt(
      {Memory::kCuda, {64, 64}, bytes->data(), 64, bytes->data() + 64 * 64, 64, bytes});
  ASSERT_TRUE(texture);
  EXPECT_EQ(host_->allocations, before);
  bytes->at(65) = 180;
  bytes.reset();
  EXPECT_FALSE(watch.expired());

  Composition composition;
  composition.base.push_back({*texture, {}, {}, {0, 0, 64, 64}, 256});
  GuardedFrame frame({64, 64});
  const auto compositor = device->make_compositor();
  ASSERT_TRUE(compositor->compose(composition, frame.view()));
  EXPECT_EQ(frame.luma(1, 1), 180);
  EXPECT_EQ(frame.luma(0, 1), 99);
  composition = {};
  *texture = nullptr;
  EXPECT_TRUE(watch.expired());
}

TEST_F(CudaDeviceTest, RefusesADeviceThatDrawsWrongly) {
  host_->wrong_luma = 1;
  const auto device = make_device_on(make_host_cuda_api(host_), kBudget);
  ASSERT_FALSE(device);
  EXPECT_EQ(device.failure().kind, FailureKind::kUnavailable);
  EXPECT_NE(device.failure().detail.find("draws wrongly"), std::string::npos);
  EXPECT_TRUE(host_->clean());
}

TEST_F(CudaDeviceTest, AFullCardIsAFailureAndTheDeviceGoesOn) {
  const auto device = make();
  host_->memory_bytes = 60000;
  const auto large = device->upload(RgbaImage({200, 200}, {1, 2, 3, 255}));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_EQ(device->memory_use()->used_bytes, 0U);
  EXPECT_TRUE(device->upload(RgbaImage({60, 60}, {1, 2, 3, 255})));
}

TEST_F(CudaDeviceTest, TheBudgetHoldsForTexturesAndFrames) {
  const auto device = make(100000);
  EXPECT_FALSE(device->upload(RgbaImage({200, 200}, {1, 2, 3, 255})));
  GuardedFrame frame({400, 400});
  const Status drawn = device->make_compositor()->compose({}, frame.view());
  ASSERT_FALSE(drawn);
  EXPECT_EQ(drawn.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_LE(device->memory_use()->peak_bytes, 100000U);
  EXPECT_EQ(device->memory_use()->used_bytes, 0U);
}

TEST_F(CudaDeviceTest, WithoutABudgetOnlyTheCardIsTheLimit) {
  auto device = make_device_on(make_host_cuda_api(host_), std::nullopt);
  ASSERT_TRUE(device);
  EXPECT_FALSE((*device)->memory_use()->budget_bytes);
  EXPECT_TRUE((*device)->upload(RgbaImage({200, 200}, {1, 2, 3, 255})));
  (*device)->set_memory_budget(10000);
  const auto refused = (*device)->upload(RgbaImage({200, 200}, {1, 2, 3, 255}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kOutOfMemory);
  (*device)->set_memory_budget(std::nullopt);
  EXPECT_TRUE((*device)->upload(RgbaImage({200, 200}, {1, 2, 3, 255})));
}

// An owner that took more than it was promised fails alone: its neighbours and the device go on.
TEST_F(CudaDeviceTest, AnAccountHoldsItsOwnBudget) {
  const auto device = make();
  const auto job = device->open_account("segment 3 of job a", 200000);
  const auto other = job->open_account("segment 0 of job b", std::nullopt);
  EXPECT_TRUE(job->upload(RgbaImage({100, 100}, {1, 2, 3, 255})));
  const auto refused = job->upload(RgbaImage({300, 300}, {1, 2, 3, 255}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kOutOfMemory);
  EXPECT_NE(refused.failure().detail.find("the budget of segment 3 of job a"), std::string::npos)
      << refused.failure().detail;
  const auto texture = *other->upload(RgbaImage({300, 300}, {1, 2, 3, 255}));
  const auto accounts = device->memory_accounts();
  ASSERT_EQ(accounts.size(), 2U);
  EXPECT_EQ(accounts[0].owner, "segment 3 of job a");
  EXPECT_EQ(accounts[0].used_bytes, 0U);
  EXPECT_EQ(accounts[1].used_bytes, texture_bytes({300, 300}, true));
  EXPECT_EQ(device->memory_use()->used_bytes, accounts[1].used_bytes);
}

TEST_F(CudaDeviceTest, AClosedAccountGivesUnusedMemoryBackToTheCard) {
  const auto device = make();
  std::shared_ptr<const Texture> texture;
  {
    const auto job = device->open_account("a job", 200000);
    texture = *job->upload(RgbaImage({100, 100}, {1, 2, 3, 255}));
    EXPECT_EQ(host_->trims, 0);
  }
  EXPECT_EQ(host_->trims, 1);
  ASSERT_EQ(device->memory_accounts().size(), 1U);  // the texture lives, and is counted
  EXPECT_EQ(device->memory_use()->used_bytes, texture_bytes({100, 100}, true));
  texture.reset();
  EXPECT_TRUE(device->memory_accounts().empty());
  EXPECT_EQ(device->memory_use()->used_bytes, 0U);
}

// What gpu/memory_layout.h predicts is what is taken, to the byte, for odd sizes too.
TEST_F(CudaDeviceTest, TakesWhatTheLayoutPredicts) {
  const auto device = make();
  for (const Size size : {Size{1, 1}, Size{127, 3}, Size{128, 129}, Size{301, 77}}) {
    for (const bool opaque : {true, false}) {
      const auto job = device->open_account("a picture", std::nullopt);
      const RgbaImage image(size, {9, 9, 9, static_cast<std::uint8_t>(opaque ? 255 : 90)});
      const auto texture = *job->upload(image);
      EXPECT_EQ(job->memory_use()->used_bytes, texture_bytes(size, opaque));
      EXPECT_EQ(job->memory_use()->peak_bytes,
                texture_bytes(size, opaque) + upload_extra_bytes(size));
    }
  }
  const Composition composition = on_device(*device, scene_of_all_kinds());
  for (const std::size_t count : {std::size_t{1}, std::size_t{7}, kBatchFramesMax}) {
    const auto job = device->open_account("frames", std::nullopt);
    const auto compositor = job->make_compositor();
    std::vector<GuardedFrame> frames(count, GuardedFrame({64, 64}));
    std::vector<FrameRequest> batch;
    for (GuardedFrame& frame : frames) batch.push_back({&composition, frame.view()});
    ASSERT_TRUE(compositor->compose_batch(batch));
    EXPECT_EQ(job->memory_use()->used_bytes, compositor_bytes({64, 64}, count, 3 * count, true));
    EXPECT_EQ(job->memory_use()->peak_bytes, job->memory_use()->used_bytes);
  }
}

TEST_F(CudaDeviceTest, RefusesImagesThatItsKernelsCantCount) {
  const auto device = make();
  Nv12Frame picture;
  picture.memory = Memory::kCuda;
  picture.size = {70000, 70000};
  picture.luma_pitch_bytes = 70016;
  picture.chroma_pitch_bytes = 70016;
  const auto texture = device->adopt(picture);
  ASSERT_FALSE(texture);
  EXPECT_EQ(texture.failure().kind, FailureKind::kTooLarge);
}

// Every call to CUDA fails once, in all that is done to draw a frame from nothing. It must come out
// as that failure, leave no memory and no work behind, and the next attempt must succeed.
TEST_F(CudaDeviceTest, EveryCallMayFail) {
  const Scene wanted = scene_of_all_kinds();
  const GuardedFrame expected = compose(*make_cpu_device(), wanted);
  const auto device = make();
  const auto attempt = [&]() -> Result<GuardedFrame> {
    std::vector<std::shared_ptr<const Texture>> textures;
    for (const RgbaImage& picture : wanted.pictures) {
      auto texture = device->upload(picture);
      if (!texture) return texture.failure();
      textures.push_back(*texture);
    }
    const auto layer = [&](const SceneLayer& l) {
      return Layer{textures[l.picture], l.x, l.y, l.clip, l.opacity_256};
    };
    const Composition composition{
        {layer(wanted.base[0])}, {layer(wanted.incoming[0])}, 100, {layer(wanted.top[0])}};
    GuardedFrame frame(wanted.frame);
    const auto compositor = device->make_compositor();
    const Status drawn = compositor->compose(composition, frame.view());
    if (!drawn) {  // the same compositor once more, now that nothing fails
      EXPECT_TRUE(compositor->compose(composition, frame.view()));
      EXPECT_TRUE(frame == expected);
      return drawn.failure();
    }
    return frame;
  };
  int failures = 0;
  for (const FailureKind kind : {FailureKind::kUnavailable, FailureKind::kOutOfMemory}) {
    for (int call = 0;; ++call) {
      host_->calls = 0;
      host_->fail_at = call;
      host_->fail_with = kind;
      const auto frame = attempt();
      host_->fail_at = -1;
      ASSERT_TRUE(host_->faults.empty()) << host_->faults[0] << ", call " << call;
      ASSERT_EQ(device->memory_use()->used_bytes, 0U) << "call " << call;
      ASSERT_TRUE(host_->device_memory.empty() && host_->pinned_memory.empty()) << call;
      if (frame) {
        EXPECT_TRUE(*frame == expected);
        break;
      }
      ++failures;
      ASSERT_EQ(frame.failure().kind, kind) << "call " << call;
      const auto again = attempt();
      ASSERT_TRUE(again && *again == expected) << "call " << call;
    }
  }
  EXPECT_GE(failures, 2 * 18);  // uploads, stream, memory, copies, kernel, wait: all were tried
}

TEST_F(CudaDeviceTest, EveryCallMayFailWhileTheDeviceIsMade) {
  int call = 0;
  for (;; ++call) {
    host_->calls = 0;
    host_->fail_at = call;
    const auto device = make_device_on(make_host_cuda_api(host_), kBudget);
    if (device) break;
    EXPECT_EQ(device.failure().kind, FailureKind::kUnavailable);
    ASSERT_TRUE(host_->clean()) << "call " << call;
  }
  EXPECT_GT(call, 10);
}

TEST_F(CudaDeviceTest, ALostDeviceSaysSoFromThenOn) {
  const auto device = make();
  const RgbaImage picture({8, 8}, {1, 2, 3, 255});
  ASSERT_TRUE(device->upload(picture));
  EXPECT_TRUE(device->check());
  host_->fail_at = host_->calls;
  host_->fail_with = FailureKind::kDeviceLost;
  for (int i = 0; i < 3; ++i) {
    const auto refused = device->upload(picture);
    ASSERT_FALSE(refused) << i;
    EXPECT_EQ(refused.failure().kind, FailureKind::kDeviceLost) << i;
    const Status checked = device->check();
    ASSERT_FALSE(checked) << i;
    EXPECT_EQ(checked.failure().kind, FailureKind::kDeviceLost) << i;
  }
  EXPECT_EQ(device->memory_use()->used_bytes, 0U);
}

TEST(CudaDeviceDeathTest, DrawsItsOwnTexturesOnly) {
  auto device = make_device_on(make_host_cuda_api(std::make_shared<HostGpu>()), kBudget);
  const auto cpu = make_cpu_device();
  Composition composition;
  composition.base.push_back(
      {*cpu->upload(RgbaImage({8, 8}, {1, 2, 3, 255})), {}, {}, {0, 0, 8, 8}, 256});
  GuardedFrame frame({8, 8});
  EXPECT_DEATH((void)(*device)->make_compositor()->compose(composition, frame.view()), "its own");
}

}  // namespace
}  // namespace pytoon::gpu::cuda
