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
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/composition.h"
#include "gpu/image.h"

namespace pytoon::gpu {

// One frame to draw; the composition is borrowed for the call.
struct FrameRequest {
  const Composition* composition = nullptr;
  Nv12Target target;
};

class Compositor {
 public:
  virtual ~Compositor() = default;
  // Draws each frame of a batch: 1 to kBatchFramesMax (gpu/memory_layout.h) of one size, into
  // targets of one kind of memory: the host's, which the CUDA device reaches by one copy a batch,
  // or the CUDA device's own. Frames of a batch don't depend on each other, and each gets the same
  // bytes as if it were drawn alone. The CUDA device starts one kernel and waits once for all of
  // them; the CPU device draws them in turn.
  //
  // Allocates nothing after the first batch of its size. Blocks until all frames are complete;
  // textures may go then. After a Failure the targets hold anything, and the compositor may be used
  // again.
  virtual Status compose_batch(std::span<const FrameRequest> frames) = 0;

  // A batch of one.
  Status compose(const Composition& composition, const Nv12Target& target) {
    const FrameRequest frame{&composition, target};
    return compose_batch({&frame, 1});
  }
};

// What GStreamer and FFmpeg need to work in a CUDA device's own context.
struct CudaHandles {
  void* context = nullptr;  // CUcontext; the device owns it
  int ordinal = 0;          // CUdevice
};

// Device memory that textures and frames take, counted as gpu/memory_layout.h says, and the budget
// they take it from.
struct MemoryUse {
  std::string owner;  // of the account; "" for the whole device
  std::uint64_t used_bytes = 0;
  std::uint64_t peak_bytes = 0;               // the largest used_bytes so far
  std::optional<std::uint64_t> budget_bytes;  // none: as much as the card has
};

class Device {
 public:
  virtual ~Device() = default;

  // "cpu" or "cuda": part of content keys, since the two may differ in the last bit.
  virtual std::string kind() const = 0;
  // For people: "cpu (x86-64-v3)", "NVIDIA H100 ...".
  virtual std::string description() const = 0;

  // Copies an image to the device. kOutOfMemory when it does not fit: into the account's budget,
  // the device's, or the card, as the detail says; nothing is lost by that.
  virtual Result<std::shared_ptr<const Texture>> upload(const RgbaImage& image) = 0;
  // An opaque image from a decoded frame. A frame in the device's own memory is sampled where it
  // lies, and its owner kept until the last frame drawn from it is complete; any other is copied.
  virtual Result<std::shared_ptr<const Texture>> adopt(const Nv12Frame& frame) = 0;
  virtual std::unique_ptr<Compositor> make_compositor() = 0;
  // How many frames a batch should have: 1 where batches gain nothing.
  virtual int batch_frames() const = 0;

  // Null on the CPU device.
  virtual std::optional<CudaHandles> cuda_handles() const { return std::nullopt; }

  // kDeviceLost when the device, or this process's context on it, is gone for good: whatever failed
  // failed because of that, and only a new process can draw. Microseconds; waits for nothing
  // queued.
  virtual Status check() const { return ok_status(); }

  // An account of this device: a Device on the same card, in the same context, whose textures and
  // frames are counted under the owner's name against a budget of their own, beside the whole
  // device's. Textures of one account may be drawn by compositors of another. What an account still
  // holds when it is closed (its textures may live longer) stays counted until it goes; closing
  // gives unused memory back to the card. On the CPU device nothing is counted.
  virtual std::unique_ptr<Device> open_account(std::string owner,
                                               std::optional<std::uint64_t> budget_bytes) = 0;
  // Of this account, or of the whole device where no account was opened. What is in use already is
  // not taken away. Nothing on the CPU device.
  virtual void set_memory_budget(std::optional<std::uint64_t> bytes) = 0;

  // Of this account, or of the whole device with all its accounts. None on the CPU device.
  virtual std::optional<MemoryUse> memory_use() const = 0;
  // Every account that is open or still holds memory, in the order of opening; the same list from
  // the device and from each account. Empty on the CPU device.
  virtual std::vector<MemoryUse> memory_accounts() const = 0;
  // What this process's pool has taken from the card: at least what is used. 0 on the CPU device.
  virtual std::uint64_t reserved_bytes() const = 0;

  // Frames that crossed between host and device memory since start: 0 on the CPU device.
  virtual std::uint64_t crossings() const = 0;
};

}  // namespace pytoon::gpu
