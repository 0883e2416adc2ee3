// The Runtime of the GPU in this machine, for tests; CMake chooses the file that knows.
#pragma once

#include <memory>

#include "gpu/cuda/runtime.h"

namespace pytoon::gpu::cuda {

// The Failure of a build without CUDA, or of a machine without a GPU.
Result<std::unique_ptr<Runtime>> make_real_runtime();

}  // namespace pytoon::gpu::cuda
