// The upload kernel's thread: one chroma sample of a texture and the four pixels under it.
#pragma once

#include "gpu/cuda/host_device.h"
#include "gpu/cuda/kernel_jobs.h"
#include "gpu/texture_math.h"

namespace pytoon::gpu::cuda {

static PYTOON_HOST_DEVICE void convert_pixel(const ConvertJob& job, const std::uint8_t* p, int x,
                                             int y) {
  const std::size_t at =
      static_cast<std::size_t>(y) * job.luma_pitch_bytes + static_cast<std::size_t>(x);
  if (job.luma_alpha == nullptr) {
    job.luma[at] = luma(p[0], p[1], p[2]);
    return;
  }
  job.luma[at] = premultiplied_luma(p[0], p[1], p[2], p[kAlpha]);
  job.luma_alpha[at] = p[kAlpha];
}

// Pixel x of a row and the one after it, if there is one.
static PYTOON_HOST_DEVICE void convert_pixels(const ConvertJob& job, const std::uint8_t* row, int x,
                                              int y) {
  convert_pixel(job, row + 4 * static_cast<std::ptrdiff_t>(x), x, y);
  if (x + 1 == job.size.width) return;
  convert_pixel(job, row + 4 * static_cast<std::ptrdiff_t>(x + 1), x + 1, y);
}

// (i, j) lies inside the chroma plane.
static PYTOON_HOST_DEVICE void convert_at(const ConvertJob& job, int i, int j) {
  const int width = job.size.width;
  const int height = job.size.height;
  const std::size_t pitch_bytes = std::size_t{4} * static_cast<std::size_t>(width);
  const int bottom = 2 * j + 1 < height ? 2 * j + 1 : height - 1;
  const std::uint8_t* rows[2] = {job.rgba + static_cast<std::size_t>(2 * j) * pitch_bytes,
                                 job.rgba + static_cast<std::size_t>(bottom) * pitch_bytes};
  convert_pixels(job, rows[0], 2 * i, 2 * j);
  if (bottom > 2 * j) convert_pixels(job, rows[1], 2 * i, bottom);
  const ChromaSample sample = chroma_sample(sum_under(rows, i, width));
  std::uint8_t* chroma = job.chroma + static_cast<std::size_t>(j) * job.chroma_pitch_bytes +
                         2 * static_cast<std::size_t>(i);
  chroma[0] = sample.cb;
  chroma[1] = sample.cr;
  if (job.chroma_alpha == nullptr) return;
  job.chroma_alpha[static_cast<std::size_t>(j) * job.chroma_alpha_pitch_bytes +
                   static_cast<std::size_t>(i)] = sample.alpha;
}

}  // namespace pytoon::gpu::cuda
