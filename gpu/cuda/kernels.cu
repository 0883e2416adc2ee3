// The kernels: thin shells around gpu/cuda/tile.h and gpu/cuda/convert.h, whose functions tests run
// on the host.
#include "gpu/cuda/kernels.h"

#include "gpu/cuda/convert.h"
#include "gpu/cuda/tile.h"

namespace pytoon::gpu::cuda {
namespace {

// Asks for at most 48 registers a thread. Turing has room for 1024 threads a multiprocessor alone.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
constexpr int kBlocksPerProcessor = 4;
#else
constexpr int kBlocksPerProcessor = 5;
#endif
constexpr int kConvertWidth = 32;
constexpr int kConvertHeight = 8;

struct TakeTogether {
  template <typename Step>
  __device__ __forceinline__ void operator()(const Step& step) const {
    step(static_cast<int>(threadIdx.x));
    __syncthreads();
  }
};

__global__ void __launch_bounds__(kThreads, kBlocksPerProcessor)
    frame_kernel(const __grid_constant__ FrameBatch batch) {
  __shared__ TileMemory memory;
  compose_tile(batch.frames[blockIdx.z], static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y),
               memory, TakeTogether{});
}

__global__ void __launch_bounds__(kConvertWidth* kConvertHeight)
    convert_kernel(const __grid_constant__ ConvertJob job) {
  const int i = static_cast<int>(blockIdx.x * kConvertWidth + threadIdx.x);
  const int j = static_cast<int>(blockIdx.y * kConvertHeight + threadIdx.y);
  if (i < (job.size.width + 1) / 2 && j < (job.size.height + 1) / 2) convert_at(job, i, j);
}

unsigned blocks(int samples, int per_block) {
  return static_cast<unsigned>((samples + per_block - 1) / per_block);
}

}  // namespace

int launch_frames(const FrameBatch& batch, void* stream) {
  const Size size = batch.frames[0].target.size;
  const dim3 grid(blocks(size.width, kTileWidth), blocks(size.height, kTileHeight),
                  static_cast<unsigned>(batch.count));
  frame_kernel<<<grid, kThreads, 0, static_cast<cudaStream_t>(stream)>>>(batch);
  return cudaGetLastError();
}

int launch_convert(const ConvertJob& job, void* stream) {
  const dim3 grid(blocks((job.size.width + 1) / 2, kConvertWidth),
                  blocks((job.size.height + 1) / 2, kConvertHeight));
  const dim3 block(kConvertWidth, kConvertHeight);
  convert_kernel<<<grid, block, 0, static_cast<cudaStream_t>(stream)>>>(job);
  return cudaGetLastError();
}

}  // namespace pytoon::gpu::cuda
