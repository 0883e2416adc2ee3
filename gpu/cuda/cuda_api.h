// The part of the CUDA runtime API that the CUDA device uses, as an interface: tests put one of
// their own behind it that runs the kernels on the host, loses memory and fails on demand.
//
// Streams are plain handles; work queued on one runs in order, and work on different streams may
// run at once. Our streams follow the context's default stream: work that a decoder queued there
// is done before ours begins.
//
// Thread rule: any thread, any time. Blocking: allocate, release_pinned and wait may; nothing else.
// Errors: kOutOfMemory leaves the device as it was. kDeviceLost: the context or the card is gone,
// and every later call fails so. kInternal is a call that CUDA does not take. A call that failed
// queued nothing; work queued before it stays queued.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/result.h"
#include "gpu/cuda/kernel_jobs.h"
#include "gpu/device.h"

namespace pytoon::gpu::cuda {

using Stream = void*;

enum class CopyDirection { kToDevice, kToHost, kOnDevice };

// Rows of bytes. Neither end may change or go away before the stream has been waited for.
struct RowCopy {
  CopyDirection direction = CopyDirection::kToDevice;
  void* to = nullptr;
  std::size_t to_pitch_bytes = 0;
  const void* from = nullptr;
  std::size_t from_pitch_bytes = 0;
  std::size_t row_bytes = 0;
  std::size_t rows = 0;
};

class CudaApi {
 public:
  virtual ~CudaApi() = default;

  virtual std::string description() const = 0;
  virtual CudaHandles handles() const = 0;

  virtual Result<Stream> make_stream() = 0;
  virtual void destroy_stream(Stream stream) = 0;

  // Device memory, aligned to 256 bytes, ready for every stream.
  virtual Result<void*> allocate(std::size_t bytes) = 0;
  // Once all work that uses it has been waited for.
  virtual void release(void* memory) = 0;
  // What this process's pool has taken from the card, used and unused.
  virtual std::uint64_t reserved_bytes() const = 0;
  // Gives unused memory of the pool back to the card.
  virtual void trim() = 0;
  // Host memory that copies reach without a detour.
  virtual Result<void*> allocate_pinned(std::size_t bytes) = 0;
  virtual void release_pinned(void* memory) = 0;

  virtual Status queue(const RowCopy& copy, Stream stream) = 0;
  // One kernel for all frames of the batch.
  virtual Status queue(const FrameBatch& batch, Stream stream) = 0;
  virtual Status queue(const ConvertJob& job, Stream stream) = 0;
  // Until all that was queued on the stream is done; tells what went wrong in it.
  virtual Status wait(Stream stream) = 0;
  // kDeviceLost once the context or the card is gone. Waits for nothing.
  virtual Status check() const = 0;
};

}  // namespace pytoon::gpu::cuda
