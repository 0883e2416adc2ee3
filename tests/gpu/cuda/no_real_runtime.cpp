#include "tests/gpu/cuda/real_runtime.h"

namespace pytoon::gpu::cuda {

Result<std::unique_ptr<Runtime>> make_real_runtime() {
  return failure(FailureKind::kNotFound, "this build has no CUDA");
}

}  // namespace pytoon::gpu::cuda
