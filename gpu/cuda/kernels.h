// Queues the kernels on a stream of the current device. Never blocks, allocates nothing.
// Returns a cudaError_t, 0 for success.
#pragma once

#include "gpu/cuda/kernel_jobs.h"

namespace pytoon::gpu::cuda {

// stream: a cudaStream_t.
int launch_frames(const FrameBatch& batch, void* stream);
int launch_convert(const ConvertJob& job, void* stream);

}  // namespace pytoon::gpu::cuda
