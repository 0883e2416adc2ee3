// What lies behind a caption so that it can be read: a soft dark band (hero), a rounded box
// (overlay), a bar from the top edge (meme). Text contrast is at least 4.5:1 (WCAG 2.1 success
// criterion 1.4.3) against the brightest twentieth of what is behind the glyphs; where the usual
// scrim does not reach that, it is drawn deeper.
//
// Pure. Luminance is the relative luminance of WCAG 2.1, from sRGB code values.
#pragma once

#include <vector>

#include "gpu/image.h"
#include "pipeline/render/caption_layout.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::render {

// Code values of the frame behind the glyphs of a caption, each 0..1.
struct Backdrop {
  struct Pixel {
    float r, g, b;
  };
  std::vector<Pixel> pixels;
};

// Adds what `frame` shows where the caption has glyphs.
void add_backdrop(const gpu::HostNv12View& frame, const Caption& caption, Backdrop& backdrop);

// The scrim's opacity at its darkest, 0..1: the archetype's usual one, or deeper if need be.
double scrim_opacity(spec::Archetype archetype, const Backdrop& backdrop);

// Contrast of white text over the backdrop under a black scrim, 5th percentile.
double contrast_under(const Backdrop& backdrop, double opacity);

struct Plate {
  gpu::RgbaImage image;
  gpu::Rect place;  // even position and size
};

// Where the plate of a caption will lie, however deep its scrim.
gpu::Rect plate_place(const spec::RenderSpec& spec, const Caption& caption);
// Scrim and text in one image.
Plate make_plate(const spec::RenderSpec& spec, const Caption& caption, double opacity);

}  // namespace pytoon::render
