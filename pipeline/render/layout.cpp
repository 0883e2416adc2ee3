#include "pipeline/render/layout.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace pytoon::render {
namespace {

// Lengths in px of the design.
constexpr int kProductHeightMinPx = 64;
constexpr int kCaptionGapPx = 56;  // between the product and the captions' box
constexpr double kProductWidthShare = 0.60;
constexpr double kProductMiddleShare = 0.38;
constexpr int kLogoWidthPx = 120;
constexpr int kLogoMarginPx = 30;
constexpr int kProductMarginPx = 120;  // for its shadow and glow

int even(double value) { return static_cast<int>(std::lround(value / 2)) * 2; }

}  // namespace

gpu::Rect caption_zone(const spec::RenderSpec& spec) {
  const spec::SafeZone& zone = spec.constraints.safe_zones;
  const int margin = spec.style.caption.safe_margin_px;
  const spec::Output& output = spec.output;
  const int side = output.scaled_px(std::max({zone.left, zone.right, margin}));
  const int top = output.scaled_px(std::max(zone.top, margin));
  const int bottom = output.scaled_px(std::max(zone.bottom, margin));
  return {side, top, output.width - 2 * side, output.height - top - bottom};
}

int caption_size_px(spec::SizeRule rule, const spec::Output& output) {
  switch (rule) {
    case spec::SizeRule::kSmall:
      return output.scaled_px(40);
    case spec::SizeRule::kAuto:
      return output.scaled_px(56);
    case spec::SizeRule::kLarge:
      return output.scaled_px(72);
  }
  CHECK(false, "a size rule has no size");
}

gpu::Rect product_zone(const spec::RenderSpec& spec, int caption_height) {
  gpu::Rect zone = caption_zone(spec);
  if (caption_height == 0) return zone;
  const int taken = caption_height + spec.output.scaled_px(kCaptionGapPx);
  const spec::CaptionPosition position = spec.style.caption.position;
  if (position == spec::CaptionPosition::kUpperThird ||
      position == spec::CaptionPosition::kTopBar) {
    zone.y += taken;
  }
  zone.height = std::max(spec.output.scaled_px(kProductHeightMinPx), zone.height - taken);
  return zone;
}

gpu::Rect place_cover(gpu::Size image, const spec::Output& output) {
  const double scale = std::max(static_cast<double>(output.width) / image.width,
                                static_cast<double>(output.height) / image.height);
  const int width = std::max(output.width, even(image.width * scale));
  const int height = std::max(output.height, even(image.height * scale));
  return {(output.width - width) / 2, (output.height - height) / 2, width, height};
}

gpu::Rect place_product(gpu::Size image, gpu::Rect zone, const spec::Output& output) {
  const double width_limit = std::min<double>(zone.width, output.width * kProductWidthShare);
  const double scale =
      std::min(width_limit / image.width, static_cast<double>(zone.height) / image.height);
  const int width = std::max(2, std::min(even(image.width * scale), even(width_limit - 0.5)));
  const int height = std::max(2, even(image.height * scale));
  const int highest = zone.y;
  const int lowest = std::max(zone.y, zone.y + zone.height - height);
  const int wished =
      static_cast<int>(std::lround(output.height * kProductMiddleShare)) - height / 2;
  const int x = (output.width - width) / 2;
  return {x - x % 2, std::clamp(wished, highest, lowest) / 2 * 2, width, height};
}

gpu::Rect place_logo(gpu::Size logo, const spec::Output& output) {
  const int width = std::max(2, even(output.scaled(kLogoWidthPx)));
  const int height =
      std::max(2, even(static_cast<double>(width) * logo.height / std::max(1, logo.width)));
  const int margin = even(output.scaled(kLogoMarginPx));
  return {output.width - margin - width, margin, width, height};
}

gpu::Size moving_size(double amplitude, const spec::Output& output) {
  return {even(output.width * (1 + amplitude)), even(output.height * (1 + amplitude))};
}

gpu::Size blurred_size(const spec::Output& output) {
  return {output.width / kBlurReduction, output.height / kBlurReduction};
}

gpu::Rect with_margin(const gpu::Rect& product, const spec::Output& output) {
  const int margin = output.scaled_px(kProductMarginPx);
  return {product.x - margin, product.y - margin, product.width + 2 * margin,
          product.height + 2 * margin};
}

}  // namespace pytoon::render
