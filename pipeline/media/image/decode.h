// An image file opened and turned, lazily, into upright 8-bit sRGB with alpha. Inside the room
// only.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "pipeline/media/image/colour_tag.h"
#include "pipeline/media/image/vips_image.h"

namespace pytoon::media {

struct OpenImage {
  std::unique_ptr<std::string> bytes;  // read by image while it is evaluated: outlives it
  std::string format;                  // "png", "jpeg", "webp", "heic", "avif"
  bool has_alpha = false;
  VipsImagePtr image;  // 4 bands; pixels are decoded when it is evaluated
};

// Reads the header and builds the conversion; failures as inspect_image() says, kTooLarge for a
// file that no image within the pixel limits needs.
Result<OpenImage> open_image(const std::filesystem::path& path);
// kInvalid beyond kMaxImageEdgePx.
Status check_image_edges(gpu::Size size);
// kInvalid for HDR, with the remedy.
Status check_image_colours(const ColourTag& tag);
// "the PNG image is truncated or damaged"
std::string damaged(const std::string& format);

}  // namespace pytoon::media
