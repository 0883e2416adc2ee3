#include "gpu/device_choice.h"

#include <gtest/gtest.h>

#include "gpu/cpu/cpu_device.h"
#include "gpu/cuda/cuda_device.h"
#include "tests/gpu/cuda/host_cuda_api.h"

namespace pytoon::gpu {
namespace {

class DeviceChoice : public ::testing::Test {
 protected:
  DeviceMakers makers(bool has_cuda) {
    return {[] { return make_cpu_device("baseline"); },
            [this, has_cuda]() -> Result<std::unique_ptr<Device>> {
              ++asked_;
              if (!has_cuda) return failure(without_, "there is no driver");
              return cuda::make_device_on(
                  cuda::make_host_cuda_api(std::make_shared<cuda::HostGpu>()), 1U << 26);
            }};
  }
  FailureKind without_ = FailureKind::kNotFound;
  int asked_ = 0;
};

TEST_F(DeviceChoice, TheCpuNeedsNoQuestion) {
  const auto chosen = choose_device(DevicePreference::kCpu, makers(true));
  ASSERT_TRUE(chosen);
  EXPECT_EQ(chosen->device->kind(), "cpu");
  EXPECT_EQ(chosen->reason, "");
  EXPECT_EQ(asked_, 0);
}

TEST_F(DeviceChoice, AutoTakesCudaAndElseSaysWhyNot) {
  const auto with = choose_device(DevicePreference::kAuto, makers(true));
  ASSERT_TRUE(with);
  EXPECT_EQ(with->device->kind(), "cuda");
  EXPECT_EQ(with->reason, "");
  const auto without = choose_device(DevicePreference::kAuto, makers(false));
  ASSERT_TRUE(without);
  EXPECT_EQ(without->device->kind(), "cpu");
  EXPECT_EQ(without->reason, "there is no driver");
  EXPECT_FALSE(without->gpu_failed);
  EXPECT_EQ(asked_, 2);
  without_ = FailureKind::kOutOfMemory;
  EXPECT_TRUE(choose_device(DevicePreference::kAuto, makers(false))->gpu_failed);
}

TEST_F(DeviceChoice, CudaOrNothing) {
  const auto with = choose_device(DevicePreference::kCuda, makers(true));
  ASSERT_TRUE(with);
  EXPECT_EQ(with->device->kind(), "cuda");
  const auto without = choose_device(DevicePreference::kCuda, makers(false));
  ASSERT_FALSE(without);
  EXPECT_EQ(without.failure().kind, FailureKind::kNotFound);
  EXPECT_NE(without.failure().detail.find("there is no driver"), std::string::npos);
}

}  // namespace
}  // namespace pytoon::gpu
