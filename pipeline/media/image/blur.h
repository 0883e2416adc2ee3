// Gaussian blur with edges extended, on premultiplied colour. Inside the room only.
//
// A wide blur leaves nothing finer than its sigma, so it is done on a smaller copy and scaled back:
// at 2.5 px of sigma or more in the copy that costs less than one code value and saves the square
// of the factor in time.
#pragma once

#include "base/result.h"
#include "gpu/image.h"

namespace pytoon::media {

inline constexpr double kMaxSigmaPx = 500;

// kInvalid for an empty image or a sigma outside 0..kMaxSigmaPx; sigma 0 returns the image.
Result<gpu::RgbaImage> gaussian_blur(const gpu::RgbaImage& image, double sigma_px);

}  // namespace pytoon::media
