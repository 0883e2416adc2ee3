#include "tests/gpu/cuda/real_runtime.h"

#include "gpu/cuda/cudart_runtime.h"

namespace pytoon::gpu::cuda {

Result<std::unique_ptr<Runtime>> make_real_runtime() {
  Result<OpenedRuntime> opened = open_cudart(0);
  if (!opened) return opened.failure();
  return std::move(opened->runtime);
}

}  // namespace pytoon::gpu::cuda
