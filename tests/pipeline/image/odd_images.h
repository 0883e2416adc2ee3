// Images for tests, and files of kinds that cameras and tools make, written by libvips.
#pragma once

#include <gtest/gtest.h>
#include <vips/vips.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "gpu/image.h"
#include "pipeline/media/image/vips_image.h"

namespace pytoon::media {

// A temporary folder, and libvips started.
class ImageTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;
  std::filesystem::path path(const std::string& name) const { return folder_ / name; }
  std::filesystem::path write(const std::string& name, const std::string& bytes) const;
  // save is given the image as libvips has it, and the path.
  std::filesystem::path save(const gpu::RgbaImage& picture, const std::string& name,
                             const std::function<int(VipsImage*, const char*)>& save) const;

  std::filesystem::path folder_;
};

// Muted, smooth, different in every corner, opaque: inside every colour gamut we test.
gpu::RgbaImage muted_picture(gpu::Size size);
// The same with alpha falling from left to right.
gpu::RgbaImage fading_image(gpu::Size size);
// Repeatable noise in all four bands.
gpu::RgbaImage noise_image(gpu::Size size, unsigned seed);

// Mean absolute difference over R, G, B and A; 255 when the sizes differ.
double mean_difference(const gpu::RgbaImage& a, const gpu::RgbaImage& b);
int max_difference(const gpu::RgbaImage& a, const gpu::RgbaImage& b);

// What went wrong; nullopt for a success.
template <typename T>
std::optional<FailureKind> outcome(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.failure().kind);
}

// Null is a broken test.
VipsImagePtr convert(VipsImage* in, const std::function<int(VipsImage*, VipsImage**)>& operation);
VipsImagePtr without_alpha(VipsImage* in);

}  // namespace pytoon::media
