// The arithmetic that turns a picture's pixels into a texture's samples, shared by every device.
//
// Chroma sample (i, j) gathers columns 2i - 1, 2i, 2i + 1 with weights 1 2 1 from rows 2j and
// 2j + 1; edges repeat; half sizes round up. Colours are premultiplied: see gpu/pixel_math.h, whose
// rules for functions hold here too.
#pragma once

#include "gpu/pixel_math.h"

namespace pytoon::gpu {

inline constexpr std::size_t kAlpha = 3;  // byte of an RGBA pixel

// The pixels under chroma column i, from two rows of a picture `width` pixels wide.
static constexpr ColourSum sum_under(const std::uint8_t* const* rows, std::ptrdiff_t i,
                                     std::ptrdiff_t width) {
  const std::ptrdiff_t centre = 2 * i;
  const std::ptrdiff_t columns[3] = {centre > 0 ? centre - 1 : 0, centre,
                                     centre + 1 < width ? centre + 1 : width - 1};
  ColourSum sum;
  for (int k = 0; k < 3; ++k) {
    for (int r = 0; r < 2; ++r) {
      const std::uint8_t* p = rows[r] + 4 * columns[k];
      const std::int64_t weight = std::int64_t{k == 1 ? 2 : 1} * p[kAlpha];
      sum.r += weight * p[0];
      sum.g += weight * p[1];
      sum.b += weight * p[2];
      sum.weight += weight;
    }
  }
  return sum;
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
