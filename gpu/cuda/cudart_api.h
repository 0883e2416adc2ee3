// The CudaApi over the CUDA runtime library.
#pragma once

#include <cstdint>
#include <memory>

#include "gpu/cuda/cuda.h"
#include "gpu/cuda/cuda_api.h"

namespace pytoon::gpu::cuda {

struct OpenedCudaApi {
  std::unique_ptr<CudaApi> api;
  std::uint64_t free_bytes = 0;  // of the GPU, once its context was made
};

// Makes the GPU's primary context, which lasts as long as the process.
Result<OpenedCudaApi> open_cudart(int ordinal);

}  // namespace pytoon::gpu::cuda
