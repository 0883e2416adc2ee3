// What one frame is made of. Plain values that any device can draw; made by pipeline/render.
//
//   image = base layers, drawn in order over black
//   if mix_256 > 0, with incoming drawn likewise:
//     image = image + (incoming - image) * mix_256 / 256
//   frame   = top layers drawn in order over image
#pragma once

#include <memory>
#include <vector>

#include "gpu/image.h"

namespace pytoon::gpu {

// An image on the device, in the layout it likes best. Immutable once made, shared by threads.
class Texture {
 public:
  virtual ~Texture() = default;
  virtual Size size() const = 0;
  virtual bool opaque() const = 0;  // every pixel has alpha 255
};

// Maps frame pixels to texture pixels along one axis, both counted from the image's edge:
//   texture = origin + step * (frame + 0.5) - 0.5
// so step is texture pixels per frame pixel. Exact sub-pixel positions; no rounding to samples.
struct Sampling {
  double origin = 0;
  double step = 1;
};

struct Layer {
  std::shared_ptr<const Texture> texture;
  Sampling x;
  Sampling y;
  Rect clip;              // frame pixels this layer may touch; outside the frame is ignored
  int opacity_256 = 256;  // multiplies the texture's alpha
};

// Samples outside a texture repeat its edge. Resampling is bicubic (Catmull-Rom, a = -0.5) unless
// step is 1 and origin a whole number: then pixels are taken as they are. Step lies in (0, 64];
// above 1 nothing is averaged, so an image much larger than its place is scaled by the caller.
// Layers with alpha are resampled premultiplied. Chroma sample (i, j) of the frame is touched when
// the clip holds luma pixel (2i, 2j): clips that tile the luma tile the chroma too.
struct Composition {
  std::vector<Layer> base;
  std::vector<Layer> incoming;
  int mix_256 = 0;  // 0 .. 256
  std::vector<Layer> top;
};

}  // namespace pytoon::gpu
