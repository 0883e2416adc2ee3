// The CUDA device over any Runtime: the real one, or a test's.
#pragma once

#include <cstdint>
#include <memory>

#include "gpu/cuda/runtime.h"
#include "gpu/device.h"

namespace pytoon::gpu::cuda {

// Proves the device with a small frame before it is trusted: kUnavailable when it draws wrongly.
Result<std::unique_ptr<Device>> make_device_on(std::unique_ptr<Runtime> runtime,
                                               std::uint64_t budget_bytes);

}  // namespace pytoon::gpu::cuda
