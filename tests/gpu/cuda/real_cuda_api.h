// The CudaApi of the GPU in this machine, for tests; CMake chooses the file that knows.
#pragma once

#include <memory>

#include "gpu/cuda/cuda_api.h"

namespace pytoon::gpu::cuda {

// The Failure of a build without CUDA, or of a machine without a GPU.
Result<std::unique_ptr<CudaApi>> make_real_cuda_api();

}  // namespace pytoon::gpu::cuda
