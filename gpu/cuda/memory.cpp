#include "gpu/cuda/memory.h"

#include <string>

namespace pytoon::gpu::cuda {

template <Place P>
void Block<P>::release() {
  if (context_ == nullptr) return;
  if constexpr (P == Place::kDevice) {
    context_->api->release(data_);
    account_->give_back(bytes_);
  } else {
    context_->api->release_pinned(data_);
  }
  context_.reset();
  account_.reset();
  data_ = nullptr;
  bytes_ = 0;
}
template class Block<Place::kDevice>;
template class Block<Place::kPinned>;

Result<DeviceBlock> allocate(const CudaContextPtr& context, const MemoryAccountPtr& account,
                             std::size_t bytes, const char* what) {
  const Status taken = account->take(bytes, what);
  if (!taken) return taken.failure();
  const Result<void*> memory = context->api->allocate(bytes);
  if (memory) return DeviceBlock(context, account, *memory, bytes);
  account->give_back(bytes);
  Failure fault = memory.failure();
  fault.detail =
      std::string("no GPU memory for ") + what + ", " + mib_text(bytes) + ": " + fault.detail;
  return fault;
}

Result<PinnedBlock> allocate_pinned(const CudaContextPtr& context, std::size_t bytes) {
  const Result<void*> memory = context->api->allocate_pinned(bytes);
  if (!memory) return memory.failure();
  return PinnedBlock(context, nullptr, *memory, bytes);
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
