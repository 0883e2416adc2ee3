#include "tests/gpu/cuda/real_cuda_api.h"

namespace pytoon::gpu::cuda {

Result<std::unique_ptr<CudaApi>> make_real_cuda_api() {
  return failure(FailureKind::kNotFound, "this build has no CUDA");
}

}  // namespace pytoon::gpu::cuda
