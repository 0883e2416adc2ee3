// An image in device memory: planes as on the CPU device (luma, chroma pairs, premultiplied,
// alpha at both resolutions), each row at a pitch; or a decoder's frame, sampled where it lies.
#pragma once

#include "gpu/composition.h"
#include "gpu/cuda/memory.h"
#include "gpu/memory_layout.h"

namespace pytoon::gpu::cuda {

class CudaTexture final : public Texture {
 public:
  // Its own block, laid out as texture_layout() says. content: see visible_area().
  CudaTexture(Size size, bool opaque, Rect content, DeviceBlock block);
  // A frame in device memory.
  explicit CudaTexture(const Nv12Frame& frame);

  Size size() const override { return size_; }
  bool opaque() const override { return opaque_; }
  const Rect& content() const { return content_; }

  struct Planes {
    const std::uint8_t* luma = nullptr;
    const std::uint8_t* chroma = nullptr;
    const std::uint8_t* luma_alpha = nullptr;  // null when opaque
    const std::uint8_t* chroma_alpha = nullptr;
    std::uint32_t luma_pitch_bytes = 0;
    std::uint32_t chroma_pitch_bytes = 0;
    std::uint32_t luma_alpha_pitch_bytes = 0;
    std::uint32_t chroma_alpha_pitch_bytes = 0;
  };
  const Planes& planes() const { return planes_; }

 private:
  Size size_;
  bool opaque_;
  Rect content_;
  DeviceBlock block_;
  std::shared_ptr<const void> owner_;
  Planes planes_;
};

}  // namespace pytoon::gpu::cuda
