// The device's memory and streams as owned things, and the budget in front of them.
//
// Every block holds the CudaContext it came from, so textures may outlive their Device.
// Thread rule: CudaContext is for any thread; the owned things are moved, not shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "gpu/cuda/cuda_api.h"

namespace pytoon::gpu::cuda {

// Bytes promised against a budget. Allocations count in whole units of the pool, 512 bytes.
class Ledger {
 public:
  explicit Ledger(std::uint64_t budget_bytes) : budget_bytes_(budget_bytes) {}

  // False when the budget lacks room; nothing is promised then.
  bool promise(std::uint64_t bytes);
  void give_back(std::uint64_t bytes);
  MemoryUse use() const;

  static std::uint64_t counted(std::uint64_t bytes) { return (bytes + 511) / 512 * 512; }

 private:
  const std::uint64_t budget_bytes_;
  mutable std::mutex mutex_;
  std::uint64_t used_bytes_ = 0;
  std::uint64_t peak_bytes_ = 0;
};

// What all parts of one CUDA device share.
struct CudaContext {
  CudaContext(std::unique_ptr<CudaApi> made, std::uint64_t budget_bytes)
      : api(std::move(made)), ledger(budget_bytes) {}

  const std::unique_ptr<CudaApi> api;
  Ledger ledger;
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
  friend Result<Block<Place::kDevice>> allocate(const CudaContextPtr&, std::size_t, const char*);
  friend Result<Block<Place::kPinned>> allocate_pinned(const CudaContextPtr&, std::size_t);

  Block(CudaContextPtr context, void* data, std::size_t bytes)
      : context_(std::move(context)), data_(static_cast<std::uint8_t*>(data)), bytes_(bytes) {}
  void swap(Block& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  CudaContextPtr context_;
  std::uint8_t* data_ = nullptr;
  std::size_t bytes_ = 0;
};
using DeviceBlock = Block<Place::kDevice>;
using PinnedBlock = Block<Place::kPinned>;

// Of the budget. kOutOfMemory, before or by CUDA, says what for.
Result<DeviceBlock> allocate(const CudaContextPtr& context, std::size_t bytes, const char* what);
// Of the host, where copies reach it without a detour; no part of the budget.
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
