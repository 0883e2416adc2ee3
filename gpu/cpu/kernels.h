// The inner loops of the CPU device, once per instruction-set level. Every level computes the
// functions of gpu/pixel_math.h and so gives the same bytes.
//
// Loops read and write exactly the samples named by their counts; buffers need no padding.
#pragma once

#include <cstdint>

#include "gpu/pixel_math.h"

namespace pytoon::gpu {

struct Kernels {
  // Opaque RGBA pixels to luma.
  void (*luma_row)(const std::uint8_t* rgba, std::uint8_t* out, int count);
  // Two rows of RGBA pixels added, a channel each.
  void (*sum_rows)(const std::uint8_t* top, const std::uint8_t* bottom, std::uint16_t* r,
                   std::uint16_t* g, std::uint16_t* b, int count);
  // Such sums, from column -1 to 2 count - 1, to count pairs Cb Cr.
  void (*chroma_row)(const std::uint16_t* r, const std::uint16_t* g, const std::uint16_t* b,
                     std::uint8_t* out, int count);
  // out[i] = the four rows at i, weighted; in 1/64 code value.
  void (*filter_rows)(const std::uint8_t* const* rows, const std::int16_t* weights,
                      std::int16_t* out, int count);
  // out[i] = row[first[i] .. first[i] + 3] weighted by weights[4 i .. 4 i + 3]; may overshoot.
  void (*filter_columns)(const std::int16_t* row, const std::int32_t* first,
                         const std::int16_t* weights, std::int16_t* out, int count);
  // The same for interleaved pairs: count pairs, first counted in pairs.
  void (*filter_pairs)(const std::int16_t* row, const std::int32_t* first,
                       const std::int16_t* weights, std::int16_t* out, int count);
  // out[i] = values[i] held within range.
  void (*hold)(const std::int16_t* values, std::uint8_t* out, int count, Range range);
  // Holds alpha within 0 .. 255 and colour, premultiplied, within what that alpha allows.
  void (*settle)(const std::int16_t* colour, const std::int16_t* alpha, std::uint8_t* colour_out,
                 std::uint8_t* alpha_out, int count, Range range);
  // frame[i] = colour[i], premultiplied, over frame[i].
  void (*blend)(std::uint8_t* frame, const std::uint8_t* colour, const std::uint8_t* alpha,
                int count);
  void (*blend_faded)(std::uint8_t* frame, const std::uint8_t* colour, const std::uint8_t* alpha,
                      int count, int opacity_256);
  // frame[i] moves towards other[i] by weight_256 / 256.
  void (*lerp)(std::uint8_t* frame, const std::uint8_t* other, int count, int weight_256);
};

const Kernels& baseline_kernels();   // any CPU
const Kernels& x86_64_v3_kernels();  // AVX2; exists on x86-64 builds only

}  // namespace pytoon::gpu
