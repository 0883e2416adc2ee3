// The compositor as its definitions read, in double arithmetic and without a thought for speed:
// gpu/image.h (colours, siting), gpu/composition.h (sampling, order). Shares no code with gpu/.
#pragma once

#include <vector>

#include "tests/gpu/scene.h"

namespace pytoon::gpu {

// Code values, unrounded.
struct ReferenceFrame {
  Size size;
  std::vector<double> luma;    // width * height
  std::vector<double> chroma;  // width / 2 * height / 2 pairs

  explicit ReferenceFrame(Size s);
  double& luma_at(int x, int y);
  double& chroma_at(int i, int j, int component);
};

struct Ycc {
  double y;
  double cb;
  double cr;
};

// BT.709-6, 8-bit limited range.
Ycc reference_colour(double r, double g, double b);

ReferenceFrame reference_compose(const Scene& scene);

}  // namespace pytoon::gpu
