// One sample of a layer drawn over one sample of a frame, as the CUDA kernel does it: the same
// integers as the CPU device (gpu/pixel_math.h), in the same order, so the same bytes.
//
// C is the plane's bytes a sample: 1 for luma, 2 for chroma.
#pragma once

#include <cstddef>

#include "gpu/cuda/host_device.h"
#include "gpu/cuda/kernel_jobs.h"
#include "gpu/pixel_math.h"

namespace pytoon::gpu::cuda {

// Byte offsets of the four texture rows and columns around a position, edges repeated. A plane is
// smaller than 4 GiB, so 32 bits do: registers are what the kernel has least of.
struct Footprint {
  std::uint32_t row[4];
  std::uint32_t column[4];
};

static PYTOON_HOST_DEVICE int held_index(int i, int size) {
  const int raised = i < 0 ? 0 : i;
  return raised > size - 1 ? size - 1 : raised;
}

template <int C>
static PYTOON_HOST_DEVICE Footprint footprint(const PlaneJob& plane, std::uint32_t pitch_bytes,
                                              const Tap& x, const Tap& y) {
  Footprint at;
  for (int k = 0; k < 4; ++k) {
    at.row[k] = static_cast<std::uint32_t>(held_index(y.first + k, plane.height)) * pitch_bytes;
    at.column[k] = static_cast<std::uint32_t>(C * held_index(x.first + k, plane.width));
  }
  return at;
}

// Component c of the bicubic sample; may overshoot.
static PYTOON_HOST_DEVICE std::int16_t resampled(const std::uint8_t* bytes, const Footprint& at,
                                                 const Tap& x, const Tap& y, std::uint32_t c) {
  std::int16_t column[4];
  for (int k = 0; k < 4; ++k) {
    const std::uint32_t left = at.column[k] + c;
    column[k] = filter_down(bytes[at.row[0] + left], bytes[at.row[1] + left],
                            bytes[at.row[2] + left], bytes[at.row[3] + left], y.weights.tap);
  }
  return filter_across(column, 1, x.weights.tap);
}

// Draws an opaque sample.
static PYTOON_HOST_DEVICE void lay(std::uint8_t& frame, int colour, int opacity_256) {
  frame = opacity_256 == 256 ? static_cast<std::uint8_t>(colour)
                             : lerp(frame, static_cast<std::uint16_t>(colour),
                                    static_cast<std::uint16_t>(opacity_256));
}

// Draws a settled, premultiplied sample.
static PYTOON_HOST_DEVICE void lay_over(std::uint8_t& frame, int colour, int alpha,
                                        int opacity_256) {
  frame =
      opacity_256 == 256
          ? blend(frame, static_cast<std::uint16_t>(colour), static_cast<std::uint16_t>(alpha))
          : blend_faded(frame, static_cast<std::uint32_t>(colour),
                        static_cast<std::uint32_t>(alpha), static_cast<std::uint32_t>(opacity_256));
}

// frame: C bytes at sample (x, y) of the frame's plane.
template <int C>
static PYTOON_HOST_DEVICE void draw_as_is(const PlaneJob& plane, int opacity_256, int x, int y,
                                          std::uint8_t* frame) {
  const auto row = static_cast<std::ptrdiff_t>(y + plane.shift_y);
  const auto column = static_cast<std::ptrdiff_t>(x + plane.shift_x);
  const std::uint8_t* colour =
      plane.colour + row * static_cast<std::ptrdiff_t>(plane.colour_pitch_bytes) + C * column;
  if (plane.alpha == nullptr) {
    for (int c = 0; c < C; ++c) lay(frame[c], colour[c], opacity_256);
    return;
  }
  const int alpha =
      plane.alpha[row * static_cast<std::ptrdiff_t>(plane.alpha_pitch_bytes) + column];
  for (int c = 0; c < C; ++c) lay_over(frame[c], colour[c], alpha, opacity_256);
}

template <int C>
static PYTOON_HOST_DEVICE void draw_resampled(const PlaneJob& plane, int opacity_256, const Tap& x,
                                              const Tap& y, std::uint8_t* frame) {
  const Range range{kLumaRange.low, C == 1 ? kLumaRange.high : kChromaRange.high};
  std::int16_t alpha = 255;
  if (plane.alpha != nullptr) {
    const Footprint at = footprint<1>(plane, plane.alpha_pitch_bytes, x, y);
    alpha = resampled(plane.alpha, at, x, y, 0);
  }
  const Footprint at = footprint<C>(plane, plane.colour_pitch_bytes, x, y);
  PYTOON_ROLLED
  for (std::uint32_t c = 0; c < C; ++c) {
    const std::int16_t colour = resampled(plane.colour, at, x, y, c);
    if (plane.alpha == nullptr) {
      const auto low = static_cast<std::int16_t>(range.low);
      lay(frame[c], hold(colour, low, static_cast<std::int16_t>(range.high)), opacity_256);
    } else {
      lay_over(frame[c], settle(colour, alpha, range), hold(alpha, 0, 255), opacity_256);
    }
  }
}

}  // namespace pytoon::gpu::cuda
