// An image file opened and turned, lazily, into upright 8-bit sRGB with alpha. Inside the room
// only.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "pipeline/media/image/vips_image.h"

namespace pytoon::media {

struct OpenImage {
  std::unique_ptr<std::string> bytes;  // read by image while it is evaluated: outlives it
  std::string format;                  // "png", "jpeg", "webp"
  bool has_alpha = false;
  VipsImagePtr image;  // 4 bands; pixels are decoded when it is evaluated
};

// Reads the header and builds the conversion; failures as inspect_image() says, kTooLarge for a
// file that no image within the pixel limits needs.
Result<OpenImage> open_image(const std::filesystem::path& path);
// Its head alone, as the file has it: neither turned nor converted, and the rest need not be there.
Result<OpenImage> open_head(const std::filesystem::path& path);
// "the PNG image is truncated or damaged"
std::string damaged(const std::string& format);

}  // namespace pytoon::media
