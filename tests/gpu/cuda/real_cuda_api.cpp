#include "tests/gpu/cuda/real_cuda_api.h"

#include "gpu/cuda/cudart_api.h"

namespace pytoon::gpu::cuda {

Result<std::unique_ptr<CudaApi>> make_real_cuda_api() { return open_cudart(0); }

}  // namespace pytoon::gpu::cuda
