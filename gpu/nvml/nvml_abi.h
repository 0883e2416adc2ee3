// The part of NVML's binary interface that we call, declared by ourselves: building needs no NVIDIA
// header. NVML gives a changed struct a new version and its function a new suffix, so that these
// stay true. Source: nvml.h of CUDA 13.0.
#pragma once

namespace pytoon::gpu::nvml {

using Return = int;
inline constexpr Return kSuccess = 0;
inline constexpr Return kNotSupported = 3;
inline constexpr Return kNotFound = 6;
inline constexpr Return kInsufficientSize = 7;
inline constexpr Return kGpuIsLost = 15;

using Device = void*;  // nvmlDevice_t
inline constexpr unsigned kUuidBytes = 96;
inline constexpr unsigned kNameBytes = 96;
inline constexpr unsigned long long kNotAvailable = ~0ULL;  // NVML_VALUE_NOT_AVAILABLE

struct Memory2 {  // nvmlMemory_v2_t
  unsigned version;
  unsigned long long total;
  unsigned long long reserved;
  unsigned long long free;
  unsigned long long used;
};
inline constexpr unsigned kMemory2Version = sizeof(Memory2) | (2U << 24U);

struct ProcessInfo {  // nvmlProcessInfo_t
  unsigned pid;
  unsigned long long used_bytes;
  unsigned gpu_instance;
  unsigned compute_instance;
};

static_assert(sizeof(Memory2) == 40 && sizeof(ProcessInfo) == 24);

}  // namespace pytoon::gpu::nvml
