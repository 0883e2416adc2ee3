// How a stored frame is turned to stand upright: any of the eight ways to lay a rectangle on its
// axes. Upright pixel (x, y) is stored at
//   (x', y') = transposed ? (y, x) : (x, y), counted from the far edge where mirrored.
//
// Pure. Source of the matrix: ISO/IEC 14496-12 section 6.2.2, as FFmpeg's display.h gives it.
#pragma once

#include <cstdint>

#include "gpu/image.h"

namespace pytoon::media {

struct Rotation {
  bool transposed = false;
  bool mirrored_x = false;  // upright x counts against the stored axis it lies on
  bool mirrored_y = false;
  bool operator==(const Rotation&) const = default;
  bool none() const { return *this == Rotation{}; }
};

// The nearest of the eight to a display matrix of nine numbers.
Rotation turn_of(const std::int32_t* matrix);

// 8-bit 4:2:0 planes, as a decoder gives them: Cb and Cr apart, even width and height.
struct PlanarView {
  gpu::Size size;
  const std::uint8_t* planes[3] = {nullptr, nullptr, nullptr};
  std::size_t pitch_bytes[3] = {0, 0, 0};
};

gpu::Size rotated(gpu::Size size, const Rotation& rotation);

// Writes the upright frame; target has size turned(source.size, turn). Chroma is left-sited on
// both sides: turned samples are moved back to their place by weights of a quarter.
void rotate_upright(const PlanarView& source, const Rotation& rotation,
                    const gpu::HostNv12View& target);

}  // namespace pytoon::media
