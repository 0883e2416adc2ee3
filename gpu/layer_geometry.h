// Where a layer's image falls in a frame, shared by every device: the same samples are touched
// everywhere. Pure functions.
#pragma once

#include "base/check.h"
#include "gpu/composition.h"
#include "gpu/device.h"

namespace pytoon::gpu {

// True when every pixel has alpha 255.
bool is_opaque(const RgbaImage& image);
// Smallest rectangle that holds every pixel with alpha above 0; empty when there is none.
Rect content_of(const RgbaImage& image, bool opaque);

// Frame pixels that the layer can change. content: where its texture has alpha above 0.
Rect visible_area(const Layer& layer, const Rect& content, Size frame);
// Chroma samples whose luma pixel (2i, 2j) lies in `luma`.
Rect chroma_area_of(const Rect& luma);

// Whether a plane's samples are taken as they are, at texture = frame + (x, y).
struct Shift {
  bool as_is = false;
  int x = 0;
  int y = 0;
};
Shift shift_of(const Sampling& x, const Sampling& y, const Rect& area, Size plane);

// Our own promises about what is drawn, CHECKed: ranges of gpu/composition.h, a texture each.
void check_composition(const Composition& composition);
// Likewise: a batch's number of frames, one size and one kind of memory, and each composition.
void check_batch(std::span<const FrameRequest> frames);
Size size_of(const Nv12Target& target);

template <Memory M>
void check_frame(const Nv12View<M>& frame) {
  const Size& size = frame.size;
  CHECK(size.width > 0 && size.height > 0, "a frame needs pixels");
  CHECK(size.width % 2 == 0 && size.height % 2 == 0, "a frame's sides are even");
  CHECK(frame.luma != nullptr && frame.chroma != nullptr, "a frame needs both planes");
  const auto width = static_cast<std::size_t>(size.width);
  CHECK(frame.luma_pitch_bytes >= width && frame.chroma_pitch_bytes >= width,
        "a frame's pitch holds its width");
}

}  // namespace pytoon::gpu
