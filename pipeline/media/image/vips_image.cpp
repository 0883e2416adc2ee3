#include "pipeline/media/image/vips_image.h"

#include <cstring>

namespace pytoon::media {
namespace {

int copy_strip(VipsRegion* region, VipsRect* area, void* target) {
  auto* image = static_cast<gpu::RgbaImage*>(target);
  for (int y = area->top; y < area->top + area->height; ++y) {
    std::memcpy(image->at(area->left, y), VIPS_REGION_ADDR(region, area->left, y),
                static_cast<std::size_t>(area->width) * 4);
  }
  return 0;
}

int drop_strip(VipsRegion*, VipsRect*, void*) { return 0; }

}  // namespace

VipsImagePtr borrow(const gpu::RgbaImage& image) {
  VipsImage* out =
      vips_image_new_from_memory(image.pixels.data(), image.pixels.size(), image.size.width,
                                 image.size.height, 4, VIPS_FORMAT_UCHAR);
  if (out == nullptr) {
    vips_error_clear();
    return nullptr;
  }
  const VipsImagePtr untyped(out);
  return made([&](VipsImage** typed) {
    return vips_copy(untyped.get(), typed, "interpretation", VIPS_INTERPRETATION_sRGB, nullptr);
  });
}

Result<gpu::RgbaImage> take_pixels(VipsImage* image, FailureKind kind, const std::string& what) {
  CHECK(vips_image_get_bands(image) == 4 && vips_image_get_format(image) == VIPS_FORMAT_UCHAR,
        "pixels leave libvips as 8-bit RGBA");
  gpu::RgbaImage pixels({vips_image_get_width(image), vips_image_get_height(image)});
  if (vips_sink_disc(image, copy_strip, &pixels) != 0) {
    vips_error_clear();
    return failure(kind, what);
  }
  return pixels;
}

Status evaluate(VipsImage* image, FailureKind kind, const std::string& what) {
  if (vips_sink_disc(image, drop_strip, nullptr) != 0) {
    vips_error_clear();
    return failure(kind, what);
  }
  return ok_status();
}

}  // namespace pytoon::media
