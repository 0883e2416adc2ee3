// Once-per-segment image work: high-quality scaling, blur, alpha arithmetic. Results
// are the same on every machine. Alpha is premultiplied where filtering needs it, inside.
//
// Thread rule: any thread.
#pragma once

#include "base/result.h"
#include "gpu/image.h"

namespace pytoon::media {

// Scales to exactly `size` with Lanczos-3 (antialiased when shrinking); aspect may change.
Result<gpu::RgbaImage> resize(const gpu::RgbaImage& image, gpu::Size size);
// The largest centred part of image with the aspect of `size`, scaled to `size`.
Result<gpu::RgbaImage> cover(const gpu::RgbaImage& image, gpu::Size size);
// Gaussian blur, edges extended. sigma in px.
Result<gpu::RgbaImage> blur(const gpu::RgbaImage& image, double sigma_px);
// Multiplies colour by factor (0..1); alpha stays.
gpu::RgbaImage darken(const gpu::RgbaImage& image, double factor);
// image's alpha multiplied by mask's alpha; mask is scaled to image's size.
Result<gpu::RgbaImage> apply_mask(const gpu::RgbaImage& image, const gpu::RgbaImage& mask);
// A single-colour image whose alpha is image's alpha, grown by margin_px on each side, blurred by
// sigma_px and multiplied by opacity: a soft shadow or glow.
Result<gpu::RgbaImage> silhouette(const gpu::RgbaImage& image, gpu::Rgba color, int margin_px,
                                  double sigma_px, double opacity);
// The smallest rectangle that holds every pixel with alpha above `least`; empty when there is none.
gpu::Rect opaque_bounds(const gpu::RgbaImage& image, int least = 8);
gpu::RgbaImage crop(const gpu::RgbaImage& image, gpu::Rect part);
// over drawn on under at (x, y), straight alpha.
void draw_over(gpu::RgbaImage& under, const gpu::RgbaImage& over, int x, int y);

}  // namespace pytoon::media
