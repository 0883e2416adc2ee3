// Where things stand on the 1080x1920 frame. Pure arithmetic on px.
#pragma once

#include "gpu/image.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::render {

inline constexpr gpu::Size kFrame{1080, 1920};

// The rectangle that captions may use: the platform's safe zone, never nearer to an edge than the
// style's margin, symmetric left and right so that text is centred on the frame.
gpu::Rect caption_zone(const spec::RenderSpec& spec);

// The em size that a rule asks for: small 40, auto 56, large 72 px.
int caption_size_px(spec::SizeRule rule);

// What captions of height `caption_height` (0: none) at `position` leave of the zone for a product.
gpu::Rect product_zone(const spec::RenderSpec& spec, int caption_height);

// The smallest uniform scale of `image` that fills the frame, in its middle; reaches beyond it.
gpu::Rect place_cover(gpu::Size picture);

// The largest uniform scale of `image` into `zone` and at most 60 % of the frame's width; its
// middle as near 38 % of the frame's height as fits.
gpu::Rect place_product(gpu::Size picture, gpu::Rect zone);

// Top right, 120 px wide, 30 px from the edges.
gpu::Rect place_logo(gpu::Size logo);

}  // namespace pytoon::render
