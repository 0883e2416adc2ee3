// In builds made with nvcc.
#include <cuda_runtime_api.h>

#include <cstdio>
#include <utility>

#include "gpu/cuda/cuda.h"
#include "gpu/cuda/cuda_device.h"
#include "gpu/cuda/cudart_api.h"

namespace pytoon::gpu {
namespace {

// CUDA counts its versions as 1000 * major + 10 * minor.
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

Failure why_none(cudaError_t error) {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0) {
    return failure(FailureKind::kNotFound,
                   "no NVIDIA driver is installed (libcuda.so.1 is not found)");
  }
  if (error == cudaErrorInsufficientDriver) {
    return failure(FailureKind::kUnavailable,
                   "the NVIDIA driver runs CUDA up to " + version_text(driver) +
                       ", older than this build's " + version_text(CUDART_VERSION) +
                       ": update it (docs/gpu.md has the table)");
  }
  if (error == cudaErrorNoDevice) {
    return failure(FailureKind::kNotFound, "the NVIDIA driver finds no GPU");
  }
  return failure(FailureKind::kUnavailable,
                 std::string("the NVIDIA driver answers: ") + cudaGetErrorString(error));
}

// Number of GPUs, or why there are none.
Result<int> count_gpus() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0) {
    (void)cudaGetLastError();
    return why_none(error == cudaSuccess ? cudaErrorNoDevice : error);
  }
  return count;
}

Status find_gpu(int ordinal) {
  const Result<int> count = count_gpus();
  if (!count) return count.failure();
  if (ordinal >= 0 && ordinal < *count) return ok_status();
  return failure(FailureKind::kNotFound, "there is no GPU number " + std::to_string(ordinal) +
                                             ": CUDA sees " + std::to_string(*count));
}

class CudaReader final : public GpuReader {
 public:
  CudaReader(int ordinal, std::string name, std::string uuid)
      : ordinal_(ordinal), name_(std::move(name)), uuid_(std::move(uuid)) {}
  std::string source() const override { return "cuda"; }
  Result<std::vector<GpuReading>> read() override {
    GpuReading gpu;
    gpu.uuid = uuid_;
    gpu.name = name_;
    std::size_t free_bytes = 0;
    std::size_t total_bytes = 0;
    cudaError_t error = cudaSetDevice(ordinal_);
    if (error == cudaSuccess) error = cudaMemGetInfo(&free_bytes, &total_bytes);
    if (error != cudaSuccess) {
      (void)cudaGetLastError();
      gpu.fault = cudaGetErrorString(error);
    }
    gpu.total_bytes = total_bytes;
    gpu.free_bytes = free_bytes;
    return std::vector<GpuReading>{std::move(gpu)};
  }

 private:
  const int ordinal_;
  const std::string name_;
  const std::string uuid_;
};

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU-";
  for (std::size_t i = 0; i < sizeof uuid.bytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(uuid.bytes[i]) & 0xFFU);
    text += two;
  }
  return text;
}

CudaGpu describe(int ordinal) {
  CudaGpu gpu;
  gpu.ordinal = ordinal;
  cudaDeviceProp facts{};
  if (const cudaError_t error = cudaGetDeviceProperties(&facts, ordinal); error != cudaSuccess) {
    gpu.fault = cudaGetErrorString(error);
    return gpu;
  }
  gpu.name = facts.name;
  gpu.uuid = uuid_text(facts.uuid);
  gpu.capability_major = facts.major;
  gpu.capability_minor = facts.minor;
  gpu.total_bytes = facts.totalGlobalMem;
  Result<std::unique_ptr<Device>> device = make_cuda_device({ordinal, std::nullopt});
  if (!device) {
    gpu.fault = device.failure().detail;
    return gpu;
  }
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  if (cudaSetDevice(ordinal) == cudaSuccess &&
      cudaMemGetInfo(&free_bytes, &total_bytes) == cudaSuccess) {
    gpu.free_bytes = free_bytes;
  }
  return gpu;
}

}  // namespace

Result<std::unique_ptr<GpuReader>> open_cuda_reader(int ordinal) {
  const Status there = find_gpu(ordinal);
  if (!there) return there.failure();
  cudaDeviceProp facts{};
  cudaError_t error = cudaGetDeviceProperties(&facts, ordinal);
  if (error == cudaSuccess) error = cudaSetDevice(ordinal);
  if (error == cudaSuccess) error = cudaFree(nullptr);  // makes the context
  if (error != cudaSuccess) return why_none(error);
  return std::unique_ptr<GpuReader>(
      std::make_unique<CudaReader>(ordinal, facts.name, uuid_text(facts.uuid)));
}

Result<std::unique_ptr<Device>> make_cuda_device(const CudaOptions& options) {
  const Status there = find_gpu(options.ordinal);
  if (!there) return there.failure();
  Result<std::unique_ptr<cuda::CudaApi>> api = cuda::open_cudart(options.ordinal);
  if (!api) return api.failure();
  return cuda::make_device_on(std::move(*api), options.memory_budget_bytes);
}

CudaFinding find_cuda_devices() {
  CudaFinding finding;
  finding.toolkit = version_text(CUDART_VERSION);
  int driver = 0;
  if (cudaDriverGetVersion(&driver) == cudaSuccess && driver != 0) {
    finding.driver_version = version_text(driver);
  }
  const Result<int> count = count_gpus();
  if (!count) {
    finding.absent_because = count.failure().detail;
    return finding;
  }
  for (int i = 0; i < *count; ++i) finding.gpus.push_back(describe(i));
  return finding;
}

}  // namespace pytoon::gpu
