#include "gpu/cuda/memory.h"

#include <algorithm>
#include <string>

namespace pytoon::gpu::cuda {
namespace {

std::string mib(std::uint64_t bytes) {
  constexpr std::uint64_t kMib = 1024 * 1024;
  return std::to_string((bytes + kMib - 1) / kMib) + " MiB";
}

Failure over_budget(const Ledger& ledger, std::size_t bytes, const char* what) {
  const MemoryUse use = ledger.use();
  return failure(FailureKind::kOutOfMemory,
                 std::string("no GPU memory for ") + what + ": " + mib(bytes) + " wanted, " +
                     mib(use.used_bytes) + " of the budget of " + mib(use.budget_bytes) +
                     " in use; render fewer segments at once or use smaller pictures");
}

}  // namespace

bool Ledger::promise(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (counted(bytes) > budget_bytes_ - used_bytes_) return false;
  used_bytes_ += counted(bytes);
  peak_bytes_ = std::max(peak_bytes_, used_bytes_);
  return true;
}

void Ledger::give_back(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  CHECK(counted(bytes) <= used_bytes_, "only what was promised is given back");
  used_bytes_ -= counted(bytes);
}

MemoryUse Ledger::use() const {
  const std::lock_guard lock(mutex_);
  return {used_bytes_, peak_bytes_, budget_bytes_};
}

template <Place P>
void Block<P>::release() {
  if (context_ == nullptr) return;
  if constexpr (P == Place::kDevice) {
    context_->api->release(data_);
    context_->ledger.give_back(bytes_);
  } else {
    context_->api->release_pinned(data_);
  }
  context_.reset();
  data_ = nullptr;
  bytes_ = 0;
}
template class Block<Place::kDevice>;
template class Block<Place::kPinned>;

Result<DeviceBlock> allocate(const CudaContextPtr& context, std::size_t bytes, const char* what) {
  if (!context->ledger.promise(bytes)) return over_budget(context->ledger, bytes, what);
  const Result<void*> memory = context->api->allocate(bytes);
  if (memory) return DeviceBlock(context, *memory, bytes);
  context->ledger.give_back(bytes);
  Failure fault = memory.failure();
  fault.detail = std::string(what) + ", " + mib(bytes) + ": " + fault.detail;
  return fault;
}

Result<PinnedBlock> allocate_pinned(const CudaContextPtr& context, std::size_t bytes) {
  const Result<void*> memory = context->api->allocate_pinned(bytes);
  if (!memory) return memory.failure();
  return PinnedBlock(context, *memory, bytes);
}

Result<OwnedStream> OwnedStream::make(const CudaContextPtr& context) {
  Result<Stream> stream = context->api->make_stream();
  if (!stream) return stream.failure();
  OwnedStream owned;
  owned.context_ = context;
  owned.stream_ = *stream;
  return owned;
}

OwnedStream::~OwnedStream() {
  if (context_ != nullptr) context_->api->destroy_stream(stream_);
}

}  // namespace pytoon::gpu::cuda
