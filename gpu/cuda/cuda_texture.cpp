#include "gpu/cuda/cuda_texture.h"

#include <utility>

namespace pytoon::gpu::cuda {
namespace {

constexpr std::size_t kLine = 128;  // bytes

std::uint32_t pitch_of(int row_bytes) {
  return static_cast<std::uint32_t>((static_cast<std::size_t>(row_bytes) + kLine - 1) / kLine *
                                    kLine);
}

}  // namespace

TextureLayout texture_layout(Size size, bool opaque) {
  const int chroma_width = (size.width + 1) / 2;
  const auto rows = static_cast<std::size_t>(size.height);
  const std::size_t chroma_rows = (rows + 1) / 2;
  TextureLayout layout;
  layout.luma_pitch_bytes = pitch_of(size.width);
  layout.chroma_pitch_bytes = pitch_of(2 * chroma_width);
  layout.chroma = layout.luma_pitch_bytes * rows;
  layout.bytes = layout.chroma + layout.chroma_pitch_bytes * chroma_rows;
  if (opaque) return layout;
  layout.chroma_alpha_pitch_bytes = pitch_of(chroma_width);
  layout.luma_alpha = layout.bytes;
  layout.chroma_alpha = layout.luma_alpha + layout.luma_pitch_bytes * rows;
  layout.bytes = layout.chroma_alpha + layout.chroma_alpha_pitch_bytes * chroma_rows;
  return layout;
}

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

CudaTexture::CudaTexture(const Nv12Picture& frame)
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
