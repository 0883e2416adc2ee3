// The CudaApi over the CUDA runtime library.
#pragma once

#include <cstdint>
#include <memory>

#include "gpu/cuda/cuda.h"
#include "gpu/cuda/cuda_api.h"

namespace pytoon::gpu::cuda {

// Makes the GPU's primary context, which lasts as long as the process.
Result<std::unique_ptr<CudaApi>> open_cudart(int ordinal);

}  // namespace pytoon::gpu::cuda
