// A CudaApi that needs no GPU: device memory is host memory, and the kernels' own code runs in
// loops over blocks and threads. It is stricter than CUDA: work that was queued runs only when its
// stream is waited for, so whoever forgets to wait sees nothing, and memory let go while work is
// queued, or never, is a fault. Calls fail on demand.
//
// One thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gpu/cuda/cuda_api.h"

namespace pytoon::gpu::cuda {

// What a test sees and sets; outlives the api.
struct HostGpu {
  std::map<const void*, std::size_t> device_memory;  // live blocks and their bytes
  std::map<const void*, std::size_t> pinned_memory;
  int streams = 0;
  int calls = 0;  // that could have failed
  int allocations = 0;
  int launches = 0;  // of the frame kernel
  int frames = 0;    // that it was to draw
  int copies = 0;
  int waits = 0;
  int trims = 0;
  std::vector<std::string> faults;  // promises that were broken

  int fail_at = -1;  // the call with this number fails
  FailureKind fail_with = FailureKind::kUnavailable;
  bool lost = false;  // after a call that failed with kDeviceLost: all later ones do, too
  std::uint64_t memory_bytes = std::uint64_t{1} << 40;  // what the card has
  int wrong_luma = 0;                                   // added to the first byte of each frame

  bool clean() const {
    return device_memory.empty() && pinned_memory.empty() && streams == 0 && faults.empty();
  }
};

std::unique_ptr<CudaApi> make_host_cuda_api(std::shared_ptr<HostGpu> gpu);

// The frame kernel over all blocks of its grid, threads of a step in the order given: forwards or
// backwards. A kernel that lacks a barrier draws differently in the two.
enum class Order { kForwards, kBackwards };
void run_frame_kernel(const FrameJob& job, Order order);

}  // namespace pytoon::gpu::cuda
