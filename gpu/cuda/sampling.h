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

static PYTOON_HOST_DEVICE int held_index(int i, int size) {
  const int raised = i < 0 ? 0 : i;
  return raised > size - 1 ? size - 1 : raised;
}

// Byte offsets of the four texture rows around a position, edges repeated. A plane is smaller than
// 4 GiB, so 32 bits do: registers are what the kernel has least of.
struct Rows {
  std::uint32_t at[4];
};

static PYTOON_HOST_DEVICE Rows rows_of(const Tap& y, int height, std::uint32_t pitch_bytes) {
  Rows rows;
  for (int k = 0; k < 4; ++k) {
    rows.at[k] = static_cast<std::uint32_t>(held_index(y.first + k, height)) * pitch_bytes;
  }
  return rows;
}

// Component c of the bicubic sample; may overshoot.
template <int C>
static PYTOON_HOST_DEVICE std::int16_t resampled(const std::uint8_t* bytes, const Rows& rows,
                                                 int width, const Tap& x, const Tap& y,
                                                 std::uint32_t c) {
  std::int32_t sum = 0;
  PYTOON_PAIRWISE
  for (int k = 0; k < 4; ++k) {
    const std::uint32_t left = static_cast<std::uint32_t>(C * held_index(x.first + k, width)) + c;
    const std::int16_t down =
        filter_down(bytes[rows.at[0] + left], bytes[rows.at[1] + left], bytes[rows.at[2] + left],
                    bytes[rows.at[3] + left], y.weights.tap);
    sum += down * x.weights.tap[k];
  }
  return rounded_across(sum);
}

// Draws an opaque sample.
static PYTOON_HOST_DEVICE void lay(std::uint8_t& frame, int colour, int opacity_256) {
  frame = opacity_256 == 256 ? static_cast<std::uint8_t>(colour)
                             : lerp(frame, static_cast<std::uint16_t>(colour),
                                    static_cast<std::uint16_t>(opacity_256));
}

// Draws an opaque sample from four neighbours of a row that was filtered down.
template <int C>
static PYTOON_HOST_DEVICE void draw_across(const std::int16_t* samples, const Tap& x,
                                           int opacity_256, std::uint8_t* frame) {
  const std::int16_t high = C == 1 ? kLumaRange.high : kChromaRange.high;
  for (int c = 0; c < C; ++c) {
    const std::int16_t colour = filter_across(samples + c, C, x.weights.tap);
    lay(frame[c], hold(colour, kLumaRange.low, high), opacity_256);
  }
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
    const Rows rows = rows_of(y, plane.height, plane.alpha_pitch_bytes);
    alpha = resampled<1>(plane.alpha, rows, plane.width, x, y, 0);
  }
  const Rows rows = rows_of(y, plane.height, plane.colour_pitch_bytes);
  PYTOON_ROLLED
  for (std::uint32_t c = 0; c < C; ++c) {
    const std::int16_t colour = resampled<C>(plane.colour, rows, plane.width, x, y, c);
    if (plane.alpha == nullptr) {
      const auto low = static_cast<std::int16_t>(range.low);
      lay(frame[c], hold(colour, low, static_cast<std::int16_t>(range.high)), opacity_256);
    } else {
      lay_over(frame[c], settle(colour, alpha, range), hold(alpha, 0, 255), opacity_256);
    }
  }
}

}  // namespace pytoon::gpu::cuda
