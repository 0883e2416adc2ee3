#include "pipeline/media/image/blur.h"

#include <algorithm>

#include "pipeline/media/image/image_library.h"
#include "pipeline/media/image/resample.h"
#include "pipeline/media/image/vips_image.h"

namespace pytoon::media {
namespace {

constexpr double kLeastSigmaOfCopyPx = 4;
constexpr int kLeastEdgeOfCopyPx = 64;
constexpr double kLeastTap = 0.004;  // the kernel ends where it would change no 8-bit value
constexpr const char* kFailed = "the picture can't be blurred";

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

VipsImagePtr blurred(VipsImage* image, double sigma_px) {
  const VipsImagePtr linear =
      made([&](VipsImage** out) { return vips_premultiply(image, out, nullptr); });
  if (!linear) return nullptr;
  const VipsImagePtr soft = made([&](VipsImage** out) {
    return vips_gaussblur(linear.get(), out, sigma_px, "min_ampl", kLeastTap, "precision",
                          VIPS_PRECISION_FLOAT, nullptr);
  });
  if (!soft) return nullptr;
  const VipsImagePtr straight =
      made([&](VipsImage** out) { return vips_unpremultiply(soft.get(), out, nullptr); });
  if (!straight) return nullptr;
  const VipsImagePtr whole_values =
      made([&](VipsImage** out) { return vips_rint(straight.get(), out, nullptr); });
  if (!whole_values) return nullptr;
  return made([&](VipsImage** out) {
    return vips_cast(whole_values.get(), out, VIPS_FORMAT_UCHAR, nullptr);
  });
}

Result<gpu::RgbaImage> blur_at_full_size(const gpu::RgbaImage& image, double sigma_px) {
  const VipsImagePtr source = borrow(image);
  const VipsImagePtr soft = source ? blurred(source.get(), sigma_px) : nullptr;
  if (!soft) return failure(FailureKind::kMedia, kFailed);
  return take_pixels(soft.get(), FailureKind::kMedia, kFailed);
}

}  // namespace

Result<gpu::RgbaImage> gaussian_blur(const gpu::RgbaImage& image, double sigma_px) {
  if (Status started = start_image_library(); !started) return started.failure();
  if (image.pixels.empty() || !(sigma_px >= 0 && sigma_px <= kMaxSigmaPx)) {
    return failure(FailureKind::kInvalid, "a blur needs a picture and a sigma of 0 to 500 px");
  }
  if (sigma_px == 0) return image;
  const int factor = shrink_factor(image.size, sigma_px);
  if (factor == 1) return blur_at_full_size(image, sigma_px);
  const gpu::Size small{image.size.width / factor, image.size.height / factor};
  const double small_sigma = sigma_px * small.width / image.size.width;
  Result<gpu::RgbaImage> soft =
      blur_at_full_size(resample(image, whole(image.size), small), small_sigma);
  if (!soft) return soft;
  return resample(*soft, whole(small), image.size);
}

}  // namespace pytoon::media
