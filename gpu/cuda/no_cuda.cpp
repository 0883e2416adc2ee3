// In builds made without nvcc.
#include "gpu/cuda/cuda.h"

namespace pytoon::gpu {
namespace {

constexpr const char* kReason =
    "this build has no CUDA: it was made without nvcc, or with PYTOON_CUDA=OFF";

}  // namespace

Result<std::unique_ptr<Device>> make_cuda_device(const CudaOptions& /*options*/) {
  return failure(FailureKind::kNotFound, kReason);
}

Result<std::unique_ptr<GpuReader>> open_cuda_reader(int /*ordinal*/) {
  return failure(FailureKind::kNotFound, kReason);
}

CudaFinding find_cuda_devices() {
  CudaFinding finding;
  finding.absent_because = kReason;
  return finding;
}

}  // namespace pytoon::gpu
