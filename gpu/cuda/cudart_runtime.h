// The Runtime over the CUDA runtime library.
#pragma once

#include <cstdint>
#include <memory>

#include "gpu/cuda/cuda.h"
#include "gpu/cuda/runtime.h"

namespace pytoon::gpu::cuda {

struct OpenedRuntime {
  std::unique_ptr<Runtime> runtime;
  std::uint64_t free_bytes = 0;  // of the GPU, once its context was made
};

// Makes the GPU's primary context, which lasts as long as the process.
Result<OpenedRuntime> open_cudart(int ordinal);

}  // namespace pytoon::gpu::cuda
