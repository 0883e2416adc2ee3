// What the CUDA device relies on in a CudaApi: the same body for the one of the tests and for the
// GPU where there is one. And frames that never leave device memory.
#include "gpu/cuda/cuda_api.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "gpu/cpu/cpu_device.h"
#include "tests/gpu/compare.h"
#include "tests/gpu/devices.h"
#include "tests/gpu/scene.h"

namespace pytoon::gpu::cuda {
namespace {

using Bytes = std::vector<std::uint8_t>;

class CudaApiTest : public ::testing::TestWithParam<DeviceCase> {
 protected:
  void SetUp() override {
    std::string absent;
    device_ = GetParam().make(absent);
    if (device_ == nullptr) GTEST_SKIP() << absent;
    auto api = GetParam().make_api();
    ASSERT_TRUE(api) << api.failure().detail;
    api_ = std::move(*api);
    auto stream = api_->make_stream();
    ASSERT_TRUE(stream);
    stream_ = *stream;
  }
  void TearDown() override {
    for (void* memory : memory_) api_->release(memory);
    if (api_ != nullptr) api_->destroy_stream(stream_);
  }

  std::uint8_t* allocate(std::size_t bytes) {
    auto memory = api_->allocate(bytes);
    EXPECT_TRUE(memory) << memory.failure().detail;
    memory_.push_back(*memory);
    return static_cast<std::uint8_t*>(*memory);
  }
  std::uint8_t* to_device(const Bytes& bytes) {
    std::uint8_t* memory = allocate(bytes.size());
    EXPECT_TRUE(api_->queue({CopyDirection::kToDevice, memory, bytes.size(), bytes.data(),
                             bytes.size(), bytes.size(), 1},
                            stream_));
    EXPECT_TRUE(api_->wait(stream_));
    return memory;
  }
  void from_device(const std::uint8_t* memory, Bytes& bytes) {
    EXPECT_TRUE(api_->queue(
        {CopyDirection::kToHost, bytes.data(), bytes.size(), memory, bytes.size(), bytes.size(), 1},
        stream_));
    EXPECT_TRUE(api_->wait(stream_));
  }

  std::unique_ptr<Device> device_;
  std::unique_ptr<CudaApi> api_;
  Stream stream_ = nullptr;
  std::vector<void*> memory_;
};

TEST_P(CudaApiTest, CopiesRowsThereAndBack) {
  Bytes bytes(40 * 9);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
  std::uint8_t* there = to_device(Bytes(64 * 9, 7));
  std::uint8_t* twice = to_device(Bytes(64 * 9, 7));
  ASSERT_TRUE(api_->queue({CopyDirection::kToDevice, there, 64, bytes.data(), 40, 33, 9}, stream_));
  ASSERT_TRUE(api_->queue({CopyDirection::kOnDevice, twice, 64, there, 64, 64, 9}, stream_));
  Bytes back(64 * 9);
  from_device(twice, back);
  for (std::size_t y = 0; y < 9; ++y) {
    for (std::size_t x = 0; x < 64; ++x) {
      ASSERT_EQ(back[64 * y + x], x < 33 ? bytes[40 * y + x] : 7) << x << ',' << y;
    }
  }
}

TEST_P(CudaApiTest, GivesAlignedMemory) {
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{1000}, std::size_t{1} << 20}) {
    if (!GetParam().exact) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(allocate(bytes)) % 256, 0U);
    }
  }
}

TEST_P(CudaApiTest, TooMuchMemoryIsAFailureAndNotTheEnd) {
  const auto memory = api_->allocate(std::size_t{1} << 42);
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.failure().kind, FailureKind::kOutOfMemory);
  Bytes bytes(3000, 5);
  Bytes back(3000);
  from_device(to_device(bytes), back);
  EXPECT_EQ(back, bytes);
}

// The whole way on the device: a frame sampled where it lies, drawn into one that lies there too.
TEST_P(CudaApiTest, FramesStayOnTheDevice) {
  const auto cpu = make_cpu_device();
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    Scene scene = random_scene(seed);
    GuardedFrame source({34, 26});
    for (std::size_t i = 0; i < source.bytes().size(); ++i) {
      source.bytes()[i] = static_cast<std::uint8_t>(20 + (i * 7 + seed) % 200);
    }
    const auto draw = [&](Device& device, Memory memory, const std::uint8_t* from,
                          const Nv12Target& target) {
      const HostNv12View host = source.view();
      const auto at = [&](const std::uint8_t* p) { return from + (p - source.bytes().data()); };
      auto texture = device.adopt({memory, host.size, at(host.luma), host.luma_pitch_bytes,
                                   at(host.chroma), host.chroma_pitch_bytes, nullptr});
      Composition composition = on_device(device, scene);
      composition.top.push_back(
          {*texture, {-2.4, 0.8}, {-1.5, 0.8}, {1, 1, scene.frame.width, 30}, 256});
      return device.make_compositor()->compose(composition, target);
    };
    GuardedFrame wanted(scene.frame);
    ASSERT_TRUE(draw(*cpu, Memory::kHost, source.bytes().data(), wanted.view()));

    GuardedFrame frame(scene.frame);
    const std::uint8_t* from = to_device(source.bytes());
    std::uint8_t* to = to_device(frame.bytes());
    const HostNv12View host = frame.view();
    const CudaNv12View view{host.size, to + (host.luma - frame.bytes().data()),
                            host.luma_pitch_bytes, to + (host.chroma - frame.bytes().data()),
                            host.chroma_pitch_bytes};
    const std::uint64_t crossings = device_->crossings();
    ASSERT_TRUE(draw(*device_, Memory::kCuda, from, view));
    EXPECT_EQ(device_->crossings(), crossings);
    from_device(to, frame.bytes());
    EXPECT_TRUE(frame.guards_intact()) << "seed " << seed;
    const Error error = compare(frame, wanted);
    EXPECT_LE(error.mean, GetParam().exact ? 0 : kParity.mean) << "seed " << seed;
    EXPECT_LE(error.max, GetParam().exact ? 0 : kParity.max) << "seed " << seed;
  }
}

// No memory can lie at either: the first is beyond all that a GPU addresses, the second in the page
// that no process maps. An address that only happens to be free will not do: the driver reserves
// whole ranges, and where the GPU shares the process's address space (HMM) a write may be served by
// a mapping of the host.
constexpr std::uintptr_t kNowhere[] = {0xdead'0000'0000'0000, 64};

// Has the kernel write there: the card itself is fine, the context is not.
void lose_the_context(CudaApi& api) {
  const Stream stream = *api.make_stream();
  Status waited = ok_status();
  for (const std::uintptr_t address : kNowhere) {
    FrameBatch batch;
    batch.count = 1;
    FrameJob& job = batch.frames[0];
    job.target.size = {64, 64};
    job.target.luma = reinterpret_cast<std::uint8_t*>(address);
    job.target.chroma = job.target.luma;
    job.target.luma_pitch_bytes = 64;
    job.target.chroma_pitch_bytes = 64;
    const Status queued = api.queue(batch, stream);
    waited = queued ? api.wait(stream) : queued;
    std::fprintf(stderr, "%s\n", waited ? "written" : waited.failure().detail.c_str());
    if (!waited) break;
  }
  const auto memory = api.allocate(100);
  const Status checked = api.check();
  for (const Status& one : {waited, memory ? ok_status() : Status(memory.failure()), checked}) {
    std::fprintf(stderr, "%s. ",
                 one ? "fine" : std::string(traits(one.failure().kind).label).c_str());
  }
  std::_Exit(0);
}

// On a real card alone: on the host it would end the test.
class LostContextTest : public CudaApiTest {};

// In a process of its own, so that nothing is lost for the tests after it.
TEST_P(LostContextTest, AKernelThatWritesAnywhereLosesTheDevice) {
  EXPECT_TRUE(device_->check());
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // CUDA does not live through a fork
  EXPECT_EXIT(lose_the_context(*api_), ::testing::ExitedWithCode(0),
              "device-lost. device-lost. device-lost. ");
  EXPECT_TRUE(device_->check());
}

std::vector<DeviceCase> devices_with_apis() {
  std::vector<DeviceCase> devices = all_devices();
  std::erase_if(devices, [](const DeviceCase& device) { return !device.make_api; });
  return devices;
}

INSTANTIATE_TEST_SUITE_P(Devices, CudaApiTest, ::testing::ValuesIn(devices_with_apis()),
                         [](const auto& param) { return param.param.name; });

std::vector<DeviceCase> real_devices() {
  std::vector<DeviceCase> devices = devices_with_apis();
  std::erase_if(devices, [](const DeviceCase& device) { return device.exact; });
  return devices;
}

INSTANTIATE_TEST_SUITE_P(Devices, LostContextTest, ::testing::ValuesIn(real_devices()),
                         [](const auto& param) { return param.param.name; });

}  // namespace
}  // namespace pytoon::gpu::cuda
