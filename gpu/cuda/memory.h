// Device and pinned memory as RAII blocks, and streams, of one CUDA context.
//
// Every block holds the CudaContext and the account it came from, so textures may outlive their
// Device.
//
// Thread rule: CudaContext is for any thread; the owned things are moved, not shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "gpu/cuda/cuda_api.h"
#include "gpu/cuda/memory_account.h"

namespace pytoon::gpu::cuda {

// What all parts of one CUDA device share.
struct CudaContext {
  explicit CudaContext(std::unique_ptr<CudaApi> made) : api(std::move(made)) {}

  const std::unique_ptr<CudaApi> api;
  std::atomic<std::uint64_t> crossings = 0;
};
using CudaContextPtr = std::shared_ptr<CudaContext>;

enum class Place { kDevice, kPinned };

// Memory of one place. Must be let go only when all work that uses it has been waited for.
template <Place P>
class Block {
 public:
  Block() = default;
  ~Block() { release(); }
  Block(Block&& other) noexcept { swap(other); }
  Block& operator=(Block&& other) noexcept {
    swap(other);
    return *this;
  }

  std::uint8_t* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }
  // Lets go at once, so that a larger one can take its place.
  void release();

 private:
  friend Result<Block<Place::kDevice>> allocate(const CudaContextPtr&, const MemoryAccountPtr&,
                                                std::size_t, const char*);
  friend Result<Block<Place::kPinned>> allocate_pinned(const CudaContextPtr&, std::size_t);

  Block(CudaContextPtr context, MemoryAccountPtr account, void* data, std::size_t bytes)
      : context_(std::move(context)),
        account_(std::move(account)),
        data_(static_cast<std::uint8_t*>(data)),
        bytes_(bytes) {}
  void swap(Block& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(account_, other.account_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  CudaContextPtr context_;
  MemoryAccountPtr account_;  // of device memory
  std::uint8_t* data_ = nullptr;
  std::size_t bytes_ = 0;
};
using DeviceBlock = Block<Place::kDevice>;
using PinnedBlock = Block<Place::kPinned>;

// From the account. kOutOfMemory, of the account's budget, the device's or the card itself, says
// what for.
Result<DeviceBlock> allocate(const CudaContextPtr& context, const MemoryAccountPtr& account,
                             std::size_t bytes, const char* what);
// Of the host, where copies reach it without a detour; no account counts it.
Result<PinnedBlock> allocate_pinned(const CudaContextPtr& context, std::size_t bytes);

class OwnedStream {
 public:
  OwnedStream() = default;
  static Result<OwnedStream> make(const CudaContextPtr& context);
  ~OwnedStream();
  OwnedStream(OwnedStream&& other) noexcept
      : context_(std::move(other.context_)), stream_(std::exchange(other.stream_, nullptr)) {}
  OwnedStream& operator=(OwnedStream&& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(stream_, other.stream_);
    return *this;
  }

  Stream get() const { return stream_; }
  explicit operator bool() const { return context_ != nullptr; }

 private:
  CudaContextPtr context_;
  Stream stream_ = nullptr;
};

}  // namespace pytoon::gpu::cuda
