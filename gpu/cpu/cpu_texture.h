// An image as the CPU device keeps it: limited-range Y'CbCr 4:2:0, converted once at upload, with
// premultiplied alpha at both resolutions unless the image is opaque.
//
// Chroma samples are pairs of bytes, Cb Cr, as in NV12; chroma alpha is written twice so that it
// lines up with them byte by byte. Chroma sample (i, j) gathers columns 2i - 1, 2i, 2i + 1 with
// weights 1 2 1 from rows 2j and 2j + 1; edges repeat; half sizes round up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/paged_bytes.h"
#include "gpu/composition.h"
#include "gpu/cpu/kernels.h"

namespace pytoon::gpu {

struct Plane {
  int width = 0;  // samples
  int height = 0;
  int components = 1;  // bytes a sample
  PagedBytes bytes;

  Plane() = default;
  Plane(int w, int h, int c)
      : width(w),
        height(h),
        components(c),
        bytes(static_cast<std::size_t>(w) * static_cast<std::size_t>(h) *
              static_cast<std::size_t>(c)) {}

  std::size_t pitch_bytes() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(components);
  }
  const std::uint8_t* row(int y) const {
    return bytes.data() + static_cast<std::size_t>(y) * pitch_bytes();
  }
  std::uint8_t* row(int y) { return bytes.data() + static_cast<std::size_t>(y) * pitch_bytes(); }
};

class CpuTexture final : public Texture {
 public:
  // Throws std::bad_alloc.
  CpuTexture(const RgbaImage& image, const Kernels& kernels);
  // Copies a host frame's planes.
  explicit CpuTexture(const Nv12Frame& frame);

  Size size() const override { return size_; }
  bool opaque() const override { return opaque_; }

  const Plane& luma() const { return luma_; }
  const Plane& chroma() const { return chroma_; }
  // Null when opaque.
  const Plane* luma_alpha() const { return opaque_ ? nullptr : &luma_alpha_; }
  const Plane* chroma_alpha() const { return opaque_ ? nullptr : &chroma_alpha_; }
  // Smallest rectangle that holds every pixel with alpha above 0.
  const Rect& content() const { return content_; }

 private:
  void convert_opaque(const RgbaImage& image, const Kernels& kernels);
  void convert_with_alpha(const RgbaImage& image);

  Size size_;
  bool opaque_;
  Rect content_;
  Plane luma_;
  Plane chroma_;
  Plane luma_alpha_;
  Plane chroma_alpha_;
};

}  // namespace pytoon::gpu
