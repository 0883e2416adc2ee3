// Holds on machines with and without a GPU, and in builds with and without CUDA.
#include <gtest/gtest.h>

#include "gpu/cuda/cuda.h"

namespace pytoon::gpu {
namespace {

TEST(FindCuda, NamesGpusOrTheReason) {
  const CudaFinding finding = find_cuda_devices();
  EXPECT_EQ(finding.gpus.empty(), !finding.absent_because.empty());
  for (const CudaGpu& gpu : finding.gpus) {
    EXPECT_FALSE(gpu.name.empty());
    EXPECT_EQ(gpu.uuid.size(), std::string("GPU-00000000-0000-0000-0000-000000000000").size());
    EXPECT_GE(gpu.capability_major, 5);
    EXPECT_LE(gpu.free_bytes, gpu.total_bytes);
  }
}

TEST(FindCuda, TheDeviceAgrees) {
  const CudaFinding finding = find_cuda_devices();
  const auto device = make_cuda_device({});
  const bool usable = !finding.gpus.empty() && finding.gpus[0].fault.empty();
  EXPECT_EQ(device.ok(), usable);
  if (device) {
    EXPECT_EQ((*device)->kind(), "cuda");
    EXPECT_NE((*device)->cuda_handles()->context, nullptr);
    EXPECT_FALSE((*device)->memory_use()->budget_bytes);  // nobody set one
  } else {
    const bool none = device.failure().kind == FailureKind::kNotFound;
    EXPECT_EQ(none, finding.gpus.empty() && finding.driver_version.empty());
    EXPECT_FALSE(device.failure().detail.empty());
  }
}

TEST(FindCuda, ThereIsNoGpuNumberAThousand) {
  const auto device = make_cuda_device({1000, std::nullopt});
  ASSERT_FALSE(device);
  EXPECT_NE(device.failure().kind, FailureKind::kOutOfMemory);
}

}  // namespace
}  // namespace pytoon::gpu
