// The kernels as plain loops, those that resample from sample `begin` on. Included only by the
// kernel files, which compile them for their own instruction set: all of it is static, so no copy
// escapes its level.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gpu/pixel_math.h"

namespace pytoon::gpu::loops {

static inline void luma_row(const std::uint8_t* __restrict rgba, std::uint8_t* __restrict out,
                            int count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    out[i] = luma(rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]);
  }
}

static inline void sum_rows(const std::uint8_t* top, const std::uint8_t* bottom,
                            std::uint16_t* __restrict r, std::uint16_t* __restrict g,
                            std::uint16_t* __restrict b, int count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    r[i] = static_cast<std::uint16_t>(top[4 * i] + bottom[4 * i]);
    g[i] = static_cast<std::uint16_t>(top[4 * i + 1] + bottom[4 * i + 1]);
    b[i] = static_cast<std::uint16_t>(top[4 * i + 2] + bottom[4 * i + 2]);
  }
}

static inline void chroma_row(const std::uint16_t* __restrict r, const std::uint16_t* __restrict g,
                              const std::uint16_t* __restrict b, std::uint8_t* __restrict out,
                              int count) {
  const auto sited = [](const std::uint16_t* at) { return at[-1] + 2 * at[0] + at[1]; };
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    const int red = sited(r + 2 * i);
    const int green = sited(g + 2 * i);
    const int blue = sited(b + 2 * i);
    out[2 * i] = opaque_cb(red, green, blue);
    out[2 * i + 1] = opaque_cr(red, green, blue);
  }
}

static inline void filter_rows(const std::uint8_t* const* rows, const std::int16_t* weights,
                               std::int16_t* __restrict out, int begin, int count) {
  const std::uint8_t* a = rows[0];
  const std::uint8_t* b = rows[1];
  const std::uint8_t* c = rows[2];
  const std::uint8_t* d = rows[3];
  const std::int16_t w[4] = {weights[0], weights[1], weights[2], weights[3]};
  for (std::ptrdiff_t i = begin; i < count; ++i) {
    out[i] = filter_down(a[i], b[i], c[i], d[i], w);
  }
}

static inline void filter_columns(const std::int16_t* row, const std::int32_t* first,
                                  const std::int16_t* weights, std::int16_t* __restrict out,
                                  int begin, int count) {
  for (std::ptrdiff_t i = begin; i < count; ++i) {
    out[i] = filter_across(row + first[i], 1, weights + 4 * i);
  }
}

static inline void filter_pairs(const std::int16_t* row, const std::int32_t* first,
                                const std::int16_t* weights, std::int16_t* __restrict out,
                                int begin, int count) {
  for (std::ptrdiff_t i = begin; i < count; ++i) {
    const std::int16_t* taps = row + std::ptrdiff_t{2} * first[i];
    out[2 * i] = filter_across(taps, 2, weights + 4 * i);
    out[2 * i + 1] = filter_across(taps + 1, 2, weights + 4 * i);
  }
}

static inline void hold(const std::int16_t* __restrict values, std::uint8_t* __restrict out,
                        int count, Range range) {
  const auto low = static_cast<std::int16_t>(range.low);
  const auto high = static_cast<std::int16_t>(range.high);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    out[i] = static_cast<std::uint8_t>(gpu::hold(values[i], low, high));
  }
}

static inline void settle(const std::int16_t* __restrict colour,
                          const std::int16_t* __restrict alpha, std::uint8_t* __restrict colour_out,
                          std::uint8_t* __restrict alpha_out, int count, Range range) {
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    colour_out[i] = gpu::settle(colour[i], alpha[i], range);
    alpha_out[i] = static_cast<std::uint8_t>(gpu::hold(alpha[i], 0, 255));
  }
}

static inline void blend(std::uint8_t* __restrict frame, const std::uint8_t* __restrict colour,
                         const std::uint8_t* __restrict alpha, int count) {
  for (std::ptrdiff_t i = 0; i < count; ++i) frame[i] = gpu::blend(frame[i], colour[i], alpha[i]);
}

static inline void blend_faded(std::uint8_t* __restrict frame,
                               const std::uint8_t* __restrict colour,
                               const std::uint8_t* __restrict alpha, int count, int opacity_256) {
  const auto opacity = static_cast<std::uint32_t>(opacity_256);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    frame[i] = gpu::blend_faded(frame[i], colour[i], alpha[i], opacity);
  }
}

static inline void lerp(std::uint8_t* __restrict frame, const std::uint8_t* __restrict other,
                        int count, int weight_256) {
  const auto weight = static_cast<std::uint16_t>(weight_256);
  for (std::ptrdiff_t i = 0; i < count; ++i) {
    frame[i] = gpu::lerp(frame[i], other[i], weight);
  }
}

}  // namespace pytoon::gpu::loops
