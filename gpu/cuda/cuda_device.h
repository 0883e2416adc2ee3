// The CUDA device over any CudaApi: the real one, or a test's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "gpu/cuda/cuda_api.h"
#include "gpu/device.h"

namespace pytoon::gpu::cuda {

// Proves the device with a small frame before it is trusted: kUnavailable when it draws wrongly.
Result<std::unique_ptr<Device>> make_device_on(std::unique_ptr<CudaApi> api,
                                               std::optional<std::uint64_t> budget_bytes);

}  // namespace pytoon::gpu::cuda
