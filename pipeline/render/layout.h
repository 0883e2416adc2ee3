// Where things stand on the frame. Pure arithmetic on its px; lengths of the design are scaled to
// it (pipeline/spec/output.h).
#pragma once

#include "gpu/image.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::render {

// The rectangle that captions may use: the platform's safe zone, never nearer to an edge than the
// style's margin, symmetric left and right so that text is centred on the frame.
gpu::Rect caption_zone(const spec::RenderSpec& spec);

// The em size that a rule asks for: small 40, auto 56, large 72 px of the design.
int caption_size_px(spec::SizeRule rule, const spec::Output& output);

// What captions of height `caption_height` (0: none) at `position` leave of the zone for a product.
gpu::Rect product_zone(const spec::RenderSpec& spec, int caption_height);

// The smallest uniform scale of `image` that fills the frame, in its middle; reaches beyond it.
gpu::Rect place_cover(gpu::Size image, const spec::Output& output);

// The largest uniform scale of `image` into `zone` and at most 60 % of the frame's width; its
// middle as near 38 % of the frame's height as fits.
gpu::Rect place_product(gpu::Size image, gpu::Rect zone, const spec::Output& output);

// Top right, 120 px of the design wide, 30 from the edges.
gpu::Rect place_logo(gpu::Size logo, const spec::Output& output);

// How large images are made that don't lie pixel for pixel on the frame. One whose every pixel
// maps to about one frame pixel at the closest zoom of a movement of that amplitude:
gpu::Size moving_size(double amplitude, const spec::Output& output);
// One of a single colour is this large wherever it is drawn.
inline constexpr gpu::Size kPlainSize{16, 16};
// An overlay's background is blurred at a quarter of the frame's size.
inline constexpr int kBlurReduction = 4;
gpu::Size blurred_size(const spec::Output& output);
// The product's image: its place and room for its shadow and glow around it.
gpu::Rect with_margin(const gpu::Rect& product, const spec::Output& output);

}  // namespace pytoon::render
