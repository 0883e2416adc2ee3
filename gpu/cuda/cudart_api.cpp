// Contracts relied on, from the CUDA runtime API reference: a launch or copy that returns an error
// queued nothing; cudaErrorMemoryAllocation is not sticky, other errors of finished work are and
// come back from every later call; cudaSetDevice is per thread and makes the primary context
// current, whatever a library left there; streams made without the non-blocking flag follow the
// legacy default stream; a copy from pageable memory has read it when the call returns, and from
// pinned memory when the stream has been waited for.
#include "gpu/cuda/cudart_api.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <string>
#include <utility>

#include "gpu/cuda/kernels.h"

namespace pytoon::gpu::cuda {
namespace {

// Unused memory kept in the pool for the next segment, in bytes; the rest goes back to the card,
// where other programs may want it.
constexpr std::uint64_t kKeptBytes = std::uint64_t{256} << 20;

// What a call of ours that has nothing wrong with it comes back with: cudaSuccess, or the sticky
// error that ended the context. Asking for the free memory reaches the card itself, so that one
// which fell off the bus is found too.
cudaError_t sticky_error() {
  (void)cudaGetLastError();  // the thread's memory of the last one; sticky errors stay
  std::size_t free_bytes = 0;
  std::size_t total_bytes = 0;
  const cudaError_t asked = cudaMemGetInfo(&free_bytes, &total_bytes);
  (void)cudaGetLastError();
  return asked;
}

std::string told(cudaError_t error) {
  return std::string("CUDA says: ") + cudaGetErrorString(error) + " (" + std::to_string(error) +
         ")";
}

Failure device_lost(const std::string& doing, cudaError_t error) {
  return failure(
      FailureKind::kDeviceLost,
      doing + ": " + told(error) + "; the context is lost, and the process must be started anew");
}

Failure fault_of(int code, const std::string& doing) {
  const auto error = static_cast<cudaError_t>(code);
  if (error == cudaErrorMemoryAllocation) {
    (void)cudaGetLastError();
    return failure(FailureKind::kOutOfMemory, doing + ": the GPU is full");
  }
  if (sticky_error() != cudaSuccess) return device_lost(doing, error);
  return failure(FailureKind::kInternal, doing + ": " + told(error));
}

Status done(int code, const char* doing) {
  return code == cudaSuccess ? ok_status() : Status(fault_of(code, doing));
}

// The driver's own library, which cudart has loaded by then.
class Driver {
 public:
  Driver() : library_(::dlopen("libcuda.so.1", RTLD_NOW)) {}
  ~Driver() {
    if (library_ != nullptr) ::dlclose(library_);
  }
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

  // Null when there is none.
  void* current_context() const {
    if (library_ == nullptr) return nullptr;
    using GetCurrent = int (*)(void**);
    const auto get = reinterpret_cast<GetCurrent>(::dlsym(library_, "cuCtxGetCurrent"));
    void* context = nullptr;
    if (get == nullptr || get(&context) != 0) return nullptr;
    return context;
  }

 private:
  void* const library_;
};

cudaStream_t stream_of(Stream stream) { return static_cast<cudaStream_t>(stream); }

class CudartApi final : public CudaApi {
 public:
  explicit CudartApi(int ordinal) : ordinal_(ordinal) {}
  ~CudartApi() override;
  CudartApi(const CudartApi&) = delete;
  CudartApi& operator=(const CudartApi&) = delete;

  // Once, before anything else.
  Status start();

  std::string description() const override { return description_; }
  CudaHandles handles() const override { return {context_, ordinal_}; }

  Result<Stream> make_stream() override;
  void destroy_stream(Stream stream) override {
    enter();
    (void)cudaStreamDestroy(stream_of(stream));
  }
  Result<void*> allocate(std::size_t bytes) override;
  void release(void* memory) override;
  std::uint64_t reserved_bytes() const override;
  void trim() override;
  Result<void*> allocate_pinned(std::size_t bytes) override;
  void release_pinned(void* memory) override {
    enter();
    (void)cudaFreeHost(memory);
  }
  Status queue(const RowCopy& copy, Stream stream) override;
  Status queue(const FrameBatch& batch, Stream stream) override {
    enter();
    return done(launch_frames(batch, stream), "the frames' kernel was not started");
  }
  Status queue(const ConvertJob& job, Stream stream) override {
    enter();
    return done(launch_convert(job, stream), "an image's kernel was not started");
  }
  Status wait(Stream stream) override {
    enter();
    return done(cudaStreamSynchronize(stream_of(stream)), "work on the GPU failed");
  }
  Status check() const override {
    enter();
    const cudaError_t lost = sticky_error();
    return lost == cudaSuccess ? ok_status() : Status(device_lost("the GPU does not answer", lost));
  }

 private:
  // Makes our context this thread's. Fails only as the call that follows it will.
  void enter() const { (void)cudaSetDevice(ordinal_); }
  Status make_pool();
  cudaError_t try_allocate(void** memory, std::size_t bytes);

  const int ordinal_;
  std::string description_;
  void* context_ = nullptr;
  cudaStream_t memory_stream_ = nullptr;
  cudaMemPool_t pool_ = nullptr;  // null where the card has none: then memory is plain
};

Status CudartApi::start() {
  const Status chosen = done(cudaSetDevice(ordinal_), "the GPU can't be used");
  if (!chosen) return chosen;
  const Status made = done(cudaFree(nullptr), "no context can be made on the GPU");
  if (!made) return made;
  cudaDeviceProp facts{};
  const Status read = done(cudaGetDeviceProperties(&facts, ordinal_), "the GPU can't be read");
  if (!read) return read;
  description_ = std::string(facts.name) + " (compute " + std::to_string(facts.major) + "." +
                 std::to_string(facts.minor) + ")";
  context_ = Driver().current_context();
  if (context_ == nullptr) {
    return failure(FailureKind::kUnavailable, "the driver's library names no context");
  }
  const Status streamed = done(cudaStreamCreate(&memory_stream_), "no stream can be made");
  if (!streamed) return streamed;
  return make_pool();
}

Status CudartApi::make_pool() {
  int has_pools = 0;
  const Status read =
      done(cudaDeviceGetAttribute(&has_pools, cudaDevAttrMemoryPoolsSupported, ordinal_),
           "the GPU can't be read");
  if (!read) return read;
  if (has_pools == 0) return ok_status();
  cudaMemPoolProps facts{};
  facts.allocType = cudaMemAllocationTypePinned;
  facts.location.type = cudaMemLocationTypeDevice;
  facts.location.id = ordinal_;
  const Status made = done(cudaMemPoolCreate(&pool_, &facts), "no memory pool can be made");
  if (!made) return made;
  std::uint64_t kept = kKeptBytes;
  return done(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &kept),
              "the memory pool can't be set up");
}

CudartApi::~CudartApi() {
  enter();
  if (pool_ != nullptr) (void)cudaMemPoolDestroy(pool_);
  if (memory_stream_ != nullptr) (void)cudaStreamDestroy(memory_stream_);
}

Result<Stream> CudartApi::make_stream() {
  enter();
  cudaStream_t stream = nullptr;
  const Status made = done(cudaStreamCreate(&stream), "no stream can be made");
  if (!made) return made.failure();
  return Stream{stream};
}

cudaError_t CudartApi::try_allocate(void** memory, std::size_t bytes) {
  if (pool_ == nullptr) return cudaMalloc(memory, bytes);
  const cudaError_t queued = cudaMallocFromPoolAsync(memory, bytes, pool_, memory_stream_);
  if (queued != cudaSuccess) return queued;
  return cudaStreamSynchronize(memory_stream_);
}

Result<void*> CudartApi::allocate(std::size_t bytes) {
  enter();
  void* memory = nullptr;
  cudaError_t code = try_allocate(&memory, bytes);
  if (code == cudaErrorMemoryAllocation && pool_ != nullptr) {
    (void)cudaGetLastError();
    trim();  // what the pool keeps may lie in pieces of the wrong size
    code = try_allocate(&memory, bytes);
  }
  const Status got = done(code, "memory was not given");
  if (!got) return got.failure();
  return memory;
}

void CudartApi::release(void* memory) {
  enter();
  if (pool_ == nullptr) {
    (void)cudaFree(memory);
  } else {
    (void)cudaFreeAsync(memory, memory_stream_);
  }
}

std::uint64_t CudartApi::reserved_bytes() const {
  std::uint64_t bytes = 0;
  if (pool_ == nullptr) return bytes;
  enter();
  if (cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrReservedMemCurrent, &bytes) != cudaSuccess) {
    (void)cudaGetLastError();
    return 0;
  }
  return bytes;
}

void CudartApi::trim() {
  if (pool_ == nullptr) return;
  enter();
  (void)cudaStreamSynchronize(memory_stream_);
  (void)cudaMemPoolTrimTo(pool_, 0);
  (void)cudaGetLastError();
}

Result<void*> CudartApi::allocate_pinned(std::size_t bytes) {
  enter();
  void* memory = nullptr;
  const Status got =
      done(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault), "pinned host memory was not given");
  if (!got) return got.failure();
  return memory;
}

Status CudartApi::queue(const RowCopy& copy, Stream stream) {
  enter();
  const cudaMemcpyKind kind = copy.direction == CopyDirection::kToDevice ? cudaMemcpyHostToDevice
                              : copy.direction == CopyDirection::kToHost ? cudaMemcpyDeviceToHost
                                                                         : cudaMemcpyDeviceToDevice;
  if (copy.rows == 1) {
    return done(cudaMemcpyAsync(copy.to, copy.from, copy.row_bytes, kind, stream_of(stream)),
                "a copy was not started");
  }
  return done(cudaMemcpy2DAsync(copy.to, copy.to_pitch_bytes, copy.from, copy.from_pitch_bytes,
                                copy.row_bytes, copy.rows, kind, stream_of(stream)),
              "a copy was not started");
}

}  // namespace

Result<std::unique_ptr<CudaApi>> open_cudart(int ordinal) {
  auto api = std::make_unique<CudartApi>(ordinal);
  const Status started = api->start();
  if (!started) return started.failure();
  return std::unique_ptr<CudaApi>(std::move(api));
}

}  // namespace pytoon::gpu::cuda
