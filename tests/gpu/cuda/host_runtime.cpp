#include "tests/gpu/cuda/host_runtime.h"

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

class HostRuntime final : public Runtime {
 public:
  explicit HostRuntime(std::shared_ptr<HostMachine> machine) : machine_(std::move(machine)) {}

  std::string description() const override { return "kernels on the host"; }
  CudaHandles handles() const override { return {machine_.get(), 0}; }

  Result<Stream> make_stream() override {
    if (fails()) return fault();
    ++machine_->streams;
    return Stream{queues_.emplace_back(std::make_unique<Queue>()).get()};
  }
  void destroy_stream(Stream stream) override {
    if (!queue_of(stream).empty()) broken("a stream was destroyed with work in it");
    --machine_->streams;
  }

  Result<void*> allocate(std::size_t bytes) override {
    if (fails()) return fault();
    std::uint64_t used = bytes;
    for (const auto& [memory, size] : machine_->device_memory) used += size;
    if (used > machine_->memory_bytes) {
      return failure(FailureKind::kOutOfMemory, "out of memory");
    }
    return keep(bytes, machine_->device_memory);
  }
  void release(void* memory) override { drop(memory, machine_->device_memory); }
  Result<void*> allocate_pinned(std::size_t bytes) override {
    if (fails()) return fault();
    return keep(bytes, machine_->pinned_memory);
  }
  void release_pinned(void* memory) override { drop(memory, machine_->pinned_memory); }

  Status queue(const RowCopy& copy, Stream stream) override {
    return put(stream, [copy] { run_copy(copy); });
  }
  Status queue(const FrameJob& job, Stream stream) override {
    const int wrong = machine_->wrong_luma;
    return put(stream, [job, wrong] {
      run_frame_kernel(job, Order::kForwards);
      *job.target.luma = static_cast<std::uint8_t>(*job.target.luma + wrong);
    });
  }
  Status queue(const ConvertJob& job, Stream stream) override {
    return put(stream, [job] { run_convert_kernel(job); });
  }
  Status wait(Stream stream) override {
    Queue& queue = queue_of(stream);
    const bool failed = fails();
    while (!queue.empty()) {
      if (!failed) queue.front()();
      queue.pop_front();
    }
    return failed ? Status(fault()) : ok_status();
  }
  Status check() const override { return machine_->lost ? Status(fault()) : ok_status(); }

 private:
  bool fails() {
    const bool now = machine_->calls++ == machine_->fail_at;
    if (now && machine_->fail_with == FailureKind::kDeviceLost) machine_->lost = true;
    return now || machine_->lost;
  }
  Failure fault() const { return failure(machine_->fail_with, "failed on demand"); }
  void broken(const char* what) { machine_->faults.emplace_back(what); }

  static Queue& queue_of(Stream stream) { return *static_cast<Queue*>(stream); }

  Status put(Stream stream, Work work) {
    if (fails()) return fault();
    queue_of(stream).push_back(std::move(work));
    return ok_status();
  }

  Result<void*> keep(std::size_t bytes, std::map<const void*, std::size_t>& live) {
    ++machine_->allocations;
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

  std::shared_ptr<HostMachine> machine_;
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

std::unique_ptr<Runtime> make_host_runtime(std::shared_ptr<HostMachine> machine) {
  return std::make_unique<HostRuntime>(std::move(machine));
}

}  // namespace pytoon::gpu::cuda
