#include "tests/gpu/cuda/host_cuda_api.h"

#include <cstring>
#include <deque>
#include <utility>

#include "gpu/cuda/convert.h"
#include "gpu/cuda/tile.h"

namespace pytoon::gpu::cuda {
namespace {

using Work = std::function<void()>;
using Queue = std::deque<Work>;

struct TakeTogether {
  Order order;
  template <typename Step>
  void operator()(const Step& step) const {
    for (int i = 0; i < kThreads; ++i) step(order == Order::kForwards ? i : kThreads - 1 - i);
  }
};

void run_convert_kernel(const ConvertJob& job) {
  for (int j = 0; j < (job.size.height + 1) / 2; ++j) {
    for (int i = 0; i < (job.size.width + 1) / 2; ++i) convert_at(job, i, j);
  }
}

void run_copy(const RowCopy& copy) {
  auto* to = static_cast<std::uint8_t*>(copy.to);
  const auto* from = static_cast<const std::uint8_t*>(copy.from);
  for (std::size_t y = 0; y < copy.rows; ++y) {
    std::memcpy(to + y * copy.to_pitch_bytes, from + y * copy.from_pitch_bytes, copy.row_bytes);
  }
}

class HostCudaApi final : public CudaApi {
 public:
  explicit HostCudaApi(std::shared_ptr<HostGpu> gpu) : gpu_(std::move(gpu)) {}

  std::string description() const override { return "kernels on the host"; }
  CudaHandles handles() const override { return {gpu_.get(), 0}; }

  Result<Stream> make_stream() override {
    if (fails()) return fault();
    ++gpu_->streams;
    return Stream{queues_.emplace_back(std::make_unique<Queue>()).get()};
  }
  void destroy_stream(Stream stream) override {
    if (!queue_of(stream).empty()) broken("a stream was destroyed with work in it");
    --gpu_->streams;
  }

  Result<void*> allocate(std::size_t bytes) override {
    if (fails()) return fault();
    std::uint64_t used = bytes;
    for (const auto& [memory, size] : gpu_->device_memory) used += size;
    if (used > gpu_->memory_bytes) {
      return failure(FailureKind::kOutOfMemory, "out of memory");
    }
    return keep(bytes, gpu_->device_memory);
  }
  void release(void* memory) override { drop(memory, gpu_->device_memory); }
  std::uint64_t reserved_bytes() const override {
    std::uint64_t bytes = 0;
    for (const auto& [memory, size] : gpu_->device_memory) bytes += size;
    return bytes;
  }
  void trim() override { ++gpu_->trims; }
  Result<void*> allocate_pinned(std::size_t bytes) override {
    if (fails()) return fault();
    return keep(bytes, gpu_->pinned_memory);
  }
  void release_pinned(void* memory) override { drop(memory, gpu_->pinned_memory); }

  Status queue(const RowCopy& copy, Stream stream) override {
    ++gpu_->copies;
    return put(stream, [copy] { run_copy(copy); });
  }
  Status queue(const FrameBatch& batch, Stream stream) override {
    const int wrong = gpu_->wrong_luma;
    ++gpu_->launches;
    gpu_->frames += batch.count;
    return put(stream, [batch, wrong] {
      for (int i = 0; i < batch.count; ++i) {
        const FrameJob& job = batch.frames[i];
        run_frame_kernel(job, Order::kForwards);
        *job.target.luma = static_cast<std::uint8_t>(*job.target.luma + wrong);
      }
    });
  }
  Status queue(const ConvertJob& job, Stream stream) override {
    return put(stream, [job] { run_convert_kernel(job); });
  }
  Status wait(Stream stream) override {
    Queue& queue = queue_of(stream);
    ++gpu_->waits;
    const bool failed = fails();
    while (!queue.empty()) {
      if (!failed) queue.front()();
      queue.pop_front();
    }
    return failed ? Status(fault()) : ok_status();
  }
  Status check() const override { return gpu_->lost ? Status(fault()) : ok_status(); }

 private:
  bool fails() {
    const bool now = gpu_->calls++ == gpu_->fail_at;
    if (now && gpu_->fail_with == FailureKind::kDeviceLost) gpu_->lost = true;
    return now || gpu_->lost;
  }
  Failure fault() const { return failure(gpu_->fail_with, "failed on demand"); }
  void broken(const char* what) { gpu_->faults.emplace_back(what); }

  static Queue& queue_of(Stream stream) { return *static_cast<Queue*>(stream); }

  Status put(Stream stream, Work work) {
    if (fails()) return fault();
    queue_of(stream).push_back(std::move(work));
    return ok_status();
  }

  Result<void*> keep(std::size_t bytes, std::map<const void*, std::size_t>& live) {
    ++gpu_->allocations;
    auto& block = blocks_.emplace_back(std::make_unique<std::uint8_t[]>(bytes));
    std::memset(block.get(), 0xCD, bytes);
    live[block.get()] = bytes;
    return static_cast<void*>(block.get());
  }
  void drop(void* memory, std::map<const void*, std::size_t>& live) {
    for (const auto& queue : queues_) {
      if (!queue->empty()) broken("memory was let go while work is queued");
    }
    if (live.erase(memory) != 1) broken("memory that is not there was let go");
    std::erase_if(blocks_, [memory](const auto& block) { return block.get() == memory; });
  }

  std::shared_ptr<HostGpu> gpu_;
  std::vector<std::unique_ptr<Queue>> queues_;
  std::vector<std::unique_ptr<std::uint8_t[]>> blocks_;
};

}  // namespace

void run_frame_kernel(const FrameJob& job, Order order) {
  TileMemory memory;
  const TakeTogether together{order};
  for (int row = 0; row * kTileHeight < job.target.size.height; ++row) {
    for (int column = 0; column * kTileWidth < job.target.size.width; ++column) {
      std::memset(static_cast<void*>(&memory), 0xCD, sizeof memory);  // a block starts with rubbish
      compose_tile(job, column, row, memory, together);
    }
  }
}

std::unique_ptr<CudaApi> make_host_cuda_api(std::shared_ptr<HostGpu> gpu) {
  return std::make_unique<HostCudaApi>(std::move(gpu));
}

}  // namespace pytoon::gpu::cuda
