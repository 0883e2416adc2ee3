#include "pipeline/media/image/image_ops.h"

#include <algorithm>
#include <cmath>

#include "pipeline/media/image/blur.h"
#include "pipeline/media/image/resample.h"

namespace pytoon::media {
namespace {

// Larger than any image or canvas of ours, small enough to fail instead of running out of memory.
constexpr int kMaxEdgePx = 16384;

bool sensible(gpu::Size size) {
  return size.width > 0 && size.height > 0 && size.width <= kMaxEdgePx && size.height <= kMaxEdgePx;
}

Failure senseless() { return failure(FailureKind::kInvalid, "an image's edges are 1 to 16384 px"); }

std::uint8_t product(int a, int b) { return static_cast<std::uint8_t>((a * b + 127) / 255); }

std::uint8_t scaled(int value, double factor) {
  return static_cast<std::uint8_t>(std::clamp(std::lround(value * factor), 0L, 255L));
}

gpu::Rect intersection(gpu::Rect a, gpu::Rect b) {
  const int left = std::max(a.x, b.x);
  const int top = std::max(a.y, b.y);
  const int right = std::min(a.x + a.width, b.x + b.width);
  const int bottom = std::min(a.y + a.height, b.y + b.height);
  return {left, top, std::max(0, right - left), std::max(0, bottom - top)};
}

void blend(const std::uint8_t* over, std::uint8_t* under) {
  const int a = over[3];
  if (a == 0) return;
  if (a == 255 || under[3] == 0) {  // what the formula gives then
    std::copy_n(over, 4, under);
    return;
  }
  const int rest = under[3] * (255 - a);  // of 255 * 255
  const int alpha = a * 255 + rest;
  for (int c = 0; c < 3; ++c) {
    under[c] = static_cast<std::uint8_t>((over[c] * a * 255 + under[c] * rest + alpha / 2) / alpha);
  }
  under[3] = static_cast<std::uint8_t>((alpha + 127) / 255);
}

}  // namespace

Result<gpu::RgbaImage> resize(const gpu::RgbaImage& image, gpu::Size size) {
  if (!sensible(image.size) || !sensible(size)) return senseless();
  if (size == image.size) return image;
  return resample(
      image, {0, 0, static_cast<double>(image.size.width), static_cast<double>(image.size.height)},
      size);
}

Result<gpu::RgbaImage> cover(const gpu::RgbaImage& image, gpu::Size size) {
  if (!sensible(image.size) || !sensible(size)) return senseless();
  if (size == image.size) return image;
  const double scale = std::max(static_cast<double>(size.width) / image.size.width,
                                static_cast<double>(size.height) / image.size.height);
  const double width = size.width / scale;
  const double height = size.height / scale;
  return resample(image,
                  {(image.size.width - width) / 2, (image.size.height - height) / 2, width, height},
                  size);
}

Result<gpu::RgbaImage> blur(const gpu::RgbaImage& image, double sigma_px) {
  return gaussian_blur(image, sigma_px);
}

gpu::RgbaImage darken(const gpu::RgbaImage& image, double factor) {
  gpu::RgbaImage dark = image;
  for (std::size_t i = 0; i < dark.pixels.size(); i += 4) {
    for (std::size_t c = 0; c < 3; ++c) dark.pixels[i + c] = scaled(dark.pixels[i + c], factor);
  }
  return dark;
}

Result<gpu::RgbaImage> apply_mask(const gpu::RgbaImage& image, const gpu::RgbaImage& mask) {
  Result<gpu::RgbaImage> fitted = resize(mask, image.size);
  if (!fitted) return fitted;
  gpu::RgbaImage out = image;
  for (std::size_t i = 3; i < out.pixels.size(); i += 4) {
    out.pixels[i] = product(out.pixels[i], fitted->pixels[i]);
  }
  return out;
}

Result<gpu::RgbaImage> silhouette(const gpu::RgbaImage& image, gpu::Rgba color, int margin_px,
                                  double sigma_px, double opacity) {
  const gpu::Size grown{image.size.width + 2 * margin_px, image.size.height + 2 * margin_px};
  if (!sensible(image.size) || !sensible(grown) || margin_px < 0) return senseless();
  gpu::RgbaImage shape(grown, {color.r, color.g, color.b, 0});
  for (int y = 0; y < image.size.height; ++y) {
    for (int x = 0; x < image.size.width; ++x) {
      shape.at(x + margin_px, y + margin_px)[3] = image.at(x, y)[3];
    }
  }
  Result<gpu::RgbaImage> soft = gaussian_blur(shape, sigma_px);
  if (!soft) return soft;
  for (std::size_t i = 0; i < soft->pixels.size(); i += 4) {
    soft->pixels[i] = color.r;
    soft->pixels[i + 1] = color.g;
    soft->pixels[i + 2] = color.b;
    soft->pixels[i + 3] = scaled(soft->pixels[i + 3], opacity * color.a / 255.0);
  }
  return soft;
}

gpu::Rect opaque_bounds(const gpu::RgbaImage& image, int least) {
  int left = image.size.width;
  int right = -1;
  int top = image.size.height;
  int bottom = -1;
  for (int y = 0; y < image.size.height; ++y) {
    for (int x = 0; x < image.size.width; ++x) {
      if (image.at(x, y)[3] <= least) continue;
      left = std::min(left, x);
      right = std::max(right, x);
      top = std::min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return {};
  return {left, top, right - left + 1, bottom - top + 1};
}

gpu::RgbaImage crop(const gpu::RgbaImage& image, gpu::Rect part) {
  const gpu::Rect inside = intersection(part, {0, 0, image.size.width, image.size.height});
  gpu::RgbaImage out({inside.width, inside.height});
  for (int y = 0; y < inside.height; ++y) {
    std::copy_n(image.at(inside.x, inside.y + y), static_cast<std::size_t>(inside.width) * 4,
                out.at(0, y));
  }
  return out;
}

void draw_over(gpu::RgbaImage& under, const gpu::RgbaImage& over, int x, int y) {
  const gpu::Rect shared = intersection({x, y, over.size.width, over.size.height},
                                        {0, 0, under.size.width, under.size.height});
  for (int row = shared.y; row < shared.y + shared.height; ++row) {
    for (int column = shared.x; column < shared.x + shared.width; ++column) {
      blend(over.at(column - x, row - y), under.at(column, row));
    }
  }
}

}  // namespace pytoon::media
