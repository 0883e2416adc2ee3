#include "gpu/cuda/cuda_texture.h"

#include <utility>

namespace pytoon::gpu::cuda {
CudaTexture::CudaTexture(Size size, bool opaque, Rect content, DeviceBlock block)
    : size_(size), opaque_(opaque), content_(content), block_(std::move(block)) {
  const TextureLayout layout = texture_layout(size, opaque);
  const std::uint8_t* data = block_.data();
  planes_.luma = data + layout.luma;
  planes_.chroma = data + layout.chroma;
  planes_.luma_pitch_bytes = layout.luma_pitch_bytes;
  planes_.chroma_pitch_bytes = layout.chroma_pitch_bytes;
  if (opaque) return;
  planes_.luma_alpha = data + layout.luma_alpha;
  planes_.chroma_alpha = data + layout.chroma_alpha;
  planes_.luma_alpha_pitch_bytes = layout.luma_pitch_bytes;
  planes_.chroma_alpha_pitch_bytes = layout.chroma_alpha_pitch_bytes;
}

CudaTexture::CudaTexture(const Nv12Frame& frame)
    : size_(frame.size),
      opaque_(true),
      content_{0, 0, frame.size.width, frame.size.height},
      owner_(frame.owner) {
  planes_.luma = frame.luma;
  planes_.chroma = frame.chroma;
  planes_.luma_pitch_bytes = static_cast<std::uint32_t>(frame.luma_pitch_bytes);
  planes_.chroma_pitch_bytes = static_cast<std::uint32_t>(frame.chroma_pitch_bytes);
}

}  // namespace pytoon::gpu::cuda
