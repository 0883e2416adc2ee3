#include "gpu/image.h"

namespace pytoon::gpu {

RgbaImage::RgbaImage(Size s, Rgba fill)
    : size(s), pixels(static_cast<std::size_t>(s.width) * static_cast<std::size_t>(s.height) * 4) {
  if (fill == Rgba{0, 0, 0, 0}) return;
  for (std::size_t i = 0; i < pixels.size(); i += 4) {
    pixels[i] = fill.r;
    pixels[i + 1] = fill.g;
    pixels[i + 2] = fill.b;
    pixels[i + 3] = fill.a;
  }
}

}  // namespace pytoon::gpu
