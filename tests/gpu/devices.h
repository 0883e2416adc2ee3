// The devices that tests draw on: every CPU level, the CUDA kernels run on the host, and each GPU
// that is there. So one test body covers them all.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "gpu/cuda/cuda_api.h"
#include "gpu/device.h"

namespace pytoon::gpu {

struct DeviceCase {
  std::string name;
  // Null with the reason in `absent` where it isn't there.
  std::function<std::unique_ptr<Device>(std::string& absent)> make;
  // The CudaApi beneath a device that has one, to reach its memory; may be empty.
  std::function<Result<std::unique_ptr<cuda::CudaApi>>()> make_api;
  // Frames must equal the CPU device's to the byte; else within the parity tolerance.
  bool exact = true;
};
std::ostream& operator<<(std::ostream& out, const DeviceCase& device);

std::vector<DeviceCase> all_devices();

}  // namespace pytoon::gpu
