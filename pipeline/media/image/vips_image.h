// Owning handles for libvips, and the way of our pixels into it and out of it. Inside the room
// only.
//
// libvips keeps one text buffer of errors for the whole process, which threads would mix up:
// it is cleared and never shown; messages are ours.
#pragma once

#include <vips/vips.h>

#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "gpu/image.h"

namespace pytoon::media {

struct VipsUnref {
  void operator()(VipsImage* image) const { g_object_unref(image); }
};
using VipsImagePtr = std::unique_ptr<VipsImage, VipsUnref>;

struct GFree {
  void operator()(void* memory) const { g_free(memory); }
};

// op(&out) is a libvips call; null when it failed.
template <typename Operation>
VipsImagePtr made(Operation&& op) {
  VipsImage* out = nullptr;
  if (op(&out) == 0) return VipsImagePtr(out);
  vips_error_clear();
  return nullptr;
}

// Borrows pixels, which must outlive the result.
VipsImagePtr borrow(const gpu::RgbaImage& image);
// Evaluates a 4-band 8-bit image into our memory, strip by strip; kind is the failure's.
Result<gpu::RgbaImage> take_pixels(VipsImage* image, FailureKind kind, const std::string& what);
// Evaluates every pixel and keeps none.
Status evaluate(VipsImage* image, FailureKind kind, const std::string& what);

}  // namespace pytoon::media
