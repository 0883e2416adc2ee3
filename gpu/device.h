// A place where frames are composed: the host's CPU, or a CUDA device. Both draw a Composition to
// the same image within the parity tolerance (mean 1/255, max 4/255); the CPU device is the
// truth in tests and a first-class way to run.
//
// Thread rule: a Device may be used from any thread; a Compositor by one thread at a time, so each
// segment in flight makes its own. Textures may be shared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "gpu/composition.h"
#include "gpu/image.h"

namespace pytoon::gpu {

class Compositor {
 public:
  virtual ~Compositor() = default;
  // Draws into target: in host memory, which the CUDA device reaches by one copy, or in the CUDA
  // device's own. Allocates nothing after the first frame of a size. Blocks until the frame is
  // complete; textures may go then. After a Failure the compositor may be used again.
  virtual Status compose(const Composition& composition, const Nv12Target& target) = 0;
};

// What GStreamer and FFmpeg need to work in a CUDA device's own context.
struct CudaHandles {
  void* context = nullptr;  // CUcontext; the device owns it
  int ordinal = 0;          // CUdevice
};

// Device memory promised to textures and frames, and the budget it is promised against.
struct MemoryUse {
  std::uint64_t used_bytes = 0;
  std::uint64_t peak_bytes = 0;
  std::uint64_t budget_bytes = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  // "cpu" or "cuda": part of content keys, since the two may differ in the last bit.
  virtual std::string kind() const = 0;
  // For people: "cpu (x86-64-v3)", "NVIDIA H100 ...".
  virtual std::string description() const = 0;

  // Copies a image to the device. kOutOfMemory when it does not fit.
  virtual Result<std::shared_ptr<const Texture>> upload(const RgbaImage& image) = 0;
  // An opaque image from a decoded frame. A frame in the device's own memory is sampled where it
  // lies, and its owner kept until the last frame drawn from it is complete; any other is copied.
  virtual Result<std::shared_ptr<const Texture>> adopt(const Nv12Picture& frame) = 0;
  virtual std::unique_ptr<Compositor> make_compositor() = 0;

  // Null on the CPU device.
  virtual std::optional<CudaHandles> cuda_handles() const { return std::nullopt; }

  // kDeviceLost when the device, or this process's context on it, is gone for good: whatever failed
  // failed because of that, and only a new process can draw. Microseconds; waits for nothing
  // queued.
  virtual Status check() const { return ok_status(); }

  // None on the CPU device.
  virtual std::optional<MemoryUse> memory_use() const { return std::nullopt; }

  // Frames that crossed between host and device memory since start: 0 on the CPU device.
  virtual std::uint64_t crossings() const = 0;
};

}  // namespace pytoon::gpu
