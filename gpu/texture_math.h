// The arithmetic that turns an image's pixels into a texture's samples, shared by every device.
//
// Chroma sample (i, j) gathers columns 2i - 1, 2i, 2i + 1 with weights 1 2 1 from rows 2j and
// 2j + 1; edges repeat; half sizes round up. Colours are premultiplied: see gpu/pixel_math.h, whose
// rules for functions hold here too.
#pragma once

#include "gpu/pixel_math.h"

namespace pytoon::gpu {

inline constexpr std::size_t kAlpha = 3;  // byte of an RGBA pixel

// Two pixels above each other, premultiplied.
static constexpr ColourSum column_sum(const std::uint8_t* upper, const std::uint8_t* lower) {
  const std::int32_t a = upper[kAlpha];
  const std::int32_t b = lower[kAlpha];
  return {a * upper[0] + b * lower[0], a * upper[1] + b * lower[1], a * upper[2] + b * lower[2],
          a + b};
}

static constexpr ColourSum sited_sum(const ColourSum& left, const ColourSum& centre,
                                     const ColourSum& right) {
  return {left.r + 2 * centre.r + right.r, left.g + 2 * centre.g + right.g,
          left.b + 2 * centre.b + right.b, left.weight + 2 * centre.weight + right.weight};
}

// The pixels under chroma column i, from two rows of an image `width` pixels wide.
static constexpr ColourSum sum_under(const std::uint8_t* const* rows, std::ptrdiff_t i,
                                     std::ptrdiff_t width) {
  const std::ptrdiff_t centre = 2 * i;
  const std::ptrdiff_t left = centre > 0 ? centre - 1 : 0;
  const std::ptrdiff_t right = centre + 1 < width ? centre + 1 : centre;
  return sited_sum(column_sum(rows[0] + 4 * left, rows[1] + 4 * left),
                   column_sum(rows[0] + 4 * centre, rows[1] + 4 * centre),
                   column_sum(rows[0] + 4 * right, rows[1] + 4 * right));
}

struct ChromaSample {
  std::uint8_t cb = 0;
  std::uint8_t cr = 0;
  std::uint8_t alpha = 0;
};

// Premultiplied by the rounded alpha, so that grey stays exactly neutral. On opaque pixels it
// equals opaque_cb() and opaque_cr().
static constexpr ChromaSample chroma_sample(const ColourSum& sum) {
  if (sum.weight == 0) return {};
  const std::uint8_t a = rounded_ratio(sum.weight, kSitingWeight);
  return {rounded_ratio(cb_in_units(sum) * a, kCbUnit * sum.weight * 255),
          rounded_ratio(cr_in_units(sum) * a, kCrUnit * sum.weight * 255), a};
}

}  // namespace pytoon::gpu
