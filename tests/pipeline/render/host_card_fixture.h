// A studio with a GPU beside it: the CUDA device whose memory is the host's.
#pragma once

#include "gpu/cuda/cuda_device.h"
#include "tests/gpu/cuda/host_cuda_api.h"
#include "tests/pipeline/render/frame_fixture.h"

namespace pytoon::render {

class HostCardTest : public FrameTest {
 protected:
  void SetUp() override {
    FrameTest::SetUp();
    auto device = gpu::cuda::make_device_on(gpu::cuda::make_host_cuda_api(gpu_), std::nullopt);
    ASSERT_TRUE(device) << device.failure().detail;
    card_ = std::move(*device);
  }

  const std::shared_ptr<gpu::cuda::HostGpu> gpu_ = std::make_shared<gpu::cuda::HostGpu>();
  std::unique_ptr<gpu::Device> card_;
};

}  // namespace pytoon::render
