// CUDA, as far as the rest of the program needs to know: a device, and what is there. Includes no
// CUDA header; builds without nvcc have it too and answer that they can't.
//
// The CUDA runtime is linked statically and finds the driver, libcuda.so.1, when it is first asked:
// a program starts the same with and without one.
//
// Thread rule: any thread. Both calls block for up to some seconds: a context is made.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/device.h"
#include "gpu/telemetry.h"

namespace pytoon::gpu {

struct CudaOptions {
  int ordinal = 0;  // among the GPUs that CUDA_VISIBLE_DEVICES leaves
  // For textures and frames; none: as much as the card has. Device::set_memory_budget() changes it.
  std::optional<std::uint64_t> memory_budget_bytes;
};

// The reason is a sentence. kNotFound where there is none to be had: no driver, no GPU of that
// number, no CUDA in this build. kUnavailable where one is there but can't be used: an old driver,
// no code for that GPU, a broken card; kOutOfMemory where it is full.
Result<std::unique_ptr<Device>> make_cuda_device(const CudaOptions& options);

// What cudaMemGetInfo says of one GPU, where NVML is not there: total and free memory alone. Makes
// a context on it, which takes memory there; kinds as for make_cuda_device().
Result<std::unique_ptr<GpuReader>> open_cuda_reader(int ordinal);

struct CudaGpu {
  int ordinal = 0;
  std::string name;
  std::string uuid;  // "GPU-...", as nvidia-smi and CUDA_VISIBLE_DEVICES spell it
  int capability_major = 0;
  int capability_minor = 0;
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::string fault;  // why it can't be used; empty when it can
};

struct CudaFinding {
  std::string toolkit;         // CUDA version this build was made with; empty without
  std::string driver_version;  // newest CUDA version the driver runs; empty when absent
  std::string absent_because;  // why there are no GPUs; empty when there are
  std::vector<CudaGpu> gpus;
};

// What is there, for people. Makes a context on each GPU, which takes memory there until the
// process ends.
CudaFinding find_cuda_devices();

}  // namespace pytoon::gpu
