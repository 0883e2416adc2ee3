// The shape of the finished video. It rides in the RenderSpec, so that nothing knows a size or a
// rate by heart: planning counts in its frames, layout and images in its pixels.
//
// Lengths of the design (text sizes, margins, safe zones, blur) are written in px of a frame whose
// shorter edge is 1080; scaled() brings them to this frame, and changes nothing at 1080.
#pragma once

#include <algorithm>
#include <cmath>

#include "gpu/image.h"

namespace pytoon::spec {

struct Output {
  int width = 1080;  // px, even
  int height = 1920;
  int fps = 30;
  bool operator==(const Output&) const = default;

  gpu::Size size() const { return {width, height}; }
  double scaled(double design_px) const { return design_px * (std::min(width, height) / 1080.0); }
  int scaled_px(int design_px) const { return static_cast<int>(std::lround(scaled(design_px))); }
};

}  // namespace pytoon::spec
