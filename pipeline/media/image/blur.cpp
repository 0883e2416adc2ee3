#include "pipeline/media/image/blur.h"

#include <algorithm>

#include "pipeline/media/image/resample.h"

namespace pytoon::media {
namespace {

constexpr double kLeastSigmaOfCopyPx = 2.5;
constexpr int kLeastEdgeOfCopyPx = 64;

int shrink_factor(gpu::Size size, double sigma_px) {
  int factor = 1;
  while (sigma_px / (factor * 2) >= kLeastSigmaOfCopyPx &&
         std::min(size.width, size.height) / (factor * 2) >= kLeastEdgeOfCopyPx) {
    factor *= 2;
  }
  return factor;
}

Window whole(gpu::Size size) {
  return {0, 0, static_cast<double>(size.width), static_cast<double>(size.height)};
}

}  // namespace

Result<gpu::RgbaImage> gaussian_blur(const gpu::RgbaImage& image, double sigma_px) {
  if (image.pixels.empty() || !(sigma_px >= 0 && sigma_px <= kMaxSigmaPx)) {
    return failure(FailureKind::kInvalid, "a blur needs an image and a sigma of 0 to 500 px");
  }
  if (sigma_px == 0) return image;
  const int factor = shrink_factor(image.size, sigma_px);
  if (factor == 1) return convolve_gaussian(image, sigma_px);
  const gpu::Size small{image.size.width / factor, image.size.height / factor};
  const double small_sigma = sigma_px * small.width / image.size.width;
  const gpu::RgbaImage copy = resample(image, whole(image.size), small);
  return resample(convolve_gaussian(copy, small_sigma), whole(small), image.size);
}

}  // namespace pytoon::media
