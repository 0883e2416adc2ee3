// Lanczos-3 scaling of a window of an image, separable, in float on premultiplied colour. Ours
// rather than libvips': its enlarging knows no Lanczos, and its vector code differs from its plain
// code. Sums run in one fixed order, so results are the same on every machine. Inside the room
// only.
//
// Source: C. Duchon, "Lanczos filtering in one and two dimensions", J. Applied Meteorology 18,
// 1979.
#pragma once

#include "gpu/image.h"

namespace pytoon::media {

// In source px, fractions allowed; (0, 0) is the outer corner of the first pixel.
struct Window {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

// image, window and size are not empty.
gpu::RgbaImage resample(const gpu::RgbaImage& image, const Window& window, gpu::Size size);
// At full size: the cost grows with sigma_px, which is above 0.
gpu::RgbaImage convolve_gaussian(const gpu::RgbaImage& image, double sigma_px);

}  // namespace pytoon::media
