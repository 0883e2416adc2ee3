#include "pipeline/media/text/caption_drawing.h"

#include <pango/pangocairo.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "pipeline/media/image/image_ops.h"

namespace pytoon::media {
namespace {

// Room above the first baseline, in em. Fixed, so that the baseline does not move with the letters;
// only letters higher than this (stacked marks of few scripts) push it down.
constexpr double kHeadroom = 1.25;
constexpr double kReachOfShadow = 3;  // in sigma; what lies beyond is under 1/255

int above(double value) { return static_cast<int>(std::ceil(value)); }

int shadow_margin(const TextStyle& style) { return above(style.shadow_sigma_px * kReachOfShadow); }

struct Run {
  PangoFont* font;
  PangoGlyphString* glyphs;
  double x;
  double y;
};

void for_each_run(const CaptionLayout& caption, int first_baseline,
                  const std::function<void(const Run&)>& visit) {
  std::size_t number = 0;
  int baseline = first_baseline;
  for (GSList* at = pango_layout_get_lines_readonly(caption.layout.get()); at != nullptr;
       at = at->next, baseline += caption.line_pitch_px, ++number) {
    double x = caption.starts_px[number] * PANGO_SCALE;
    for (GSList* run = static_cast<PangoLayoutLine*>(at->data)->runs; run; run = run->next) {
      const auto* const item = static_cast<PangoLayoutRun*>(run->data);
      visit({item->item->analysis.font, item->glyphs, (x + item->start_x_offset) / PANGO_SCALE,
             baseline - static_cast<double>(item->y_offset) / PANGO_SCALE});
      x += item->start_x_offset + pango_glyph_string_get_width(item->glyphs) + item->end_x_offset;
    }
  }
}

void set_source(cairo_t* cairo, gpu::Rgba color) {
  cairo_set_source_rgba(cairo, color.r / 255.0, color.g / 255.0, color.b / 255.0, color.a / 255.0);
}

void add_outlines(cairo_t* cairo, const Run& run) {
  if (has_colours(run.font)) return;
  cairo_move_to(cairo, run.x, run.y);
  pango_cairo_glyph_string_path(cairo, run.font, run.glyphs);
}

void stroke_outlines(cairo_t* cairo, const CaptionLayout& caption, const CaptionOrder& order,
                     int first_baseline) {
  cairo_new_path(cairo);
  for_each_run(caption, first_baseline, [&](const Run& run) { add_outlines(cairo, run); });
  set_source(cairo, order.style.outline_color);
  cairo_set_line_width(cairo, 2 * order.style.outline_px);  // half of it lies under the letter
  cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
  cairo_set_line_cap(cairo, CAIRO_LINE_CAP_ROUND);
  cairo_stroke(cairo);
}

void fill_glyphs(cairo_t* cairo, const CaptionLayout& caption, const CaptionOrder& order,
                 int first_baseline) {
  set_source(cairo, order.style.color);
  for_each_run(caption, first_baseline, [&](const Run& run) {
    cairo_new_path(cairo);
    add_outlines(cairo, run);
    cairo_fill(cairo);
    if (!has_colours(run.font)) return;
    cairo_move_to(cairo, run.x, run.y);
    pango_cairo_show_glyph_string(cairo, run.font, run.glyphs);
  });
}

std::uint8_t straight(std::uint32_t premultiplied, std::uint32_t alpha) {
  return static_cast<std::uint8_t>(
      std::min<std::uint32_t>((premultiplied * 255 + alpha / 2) / alpha, 255));
}

// Cairo's pixels are native-endian 0xAARRGGBB, premultiplied.
gpu::RgbaImage to_rgba(cairo_surface_t* surface, gpu::Size size) {
  cairo_surface_flush(surface);
  gpu::RgbaImage image(size);
  const unsigned char* const data = cairo_image_surface_get_data(surface);
  const auto pitch = static_cast<std::size_t>(cairo_image_surface_get_stride(surface));
  for (int y = 0; y < size.height; ++y) {
    const auto* row =
        reinterpret_cast<const std::uint32_t*>(data + pitch * static_cast<std::size_t>(y));
    for (int x = 0; x < size.width; ++x) {
      const std::uint32_t pixel = row[x];
      const std::uint32_t alpha = pixel >> 24;
      if (alpha == 0) continue;
      std::uint8_t* const out = image.at(x, y);
      out[0] = straight((pixel >> 16) & 255U, alpha);
      out[1] = straight((pixel >> 8) & 255U, alpha);
      out[2] = straight(pixel & 255U, alpha);
      out[3] = static_cast<std::uint8_t>(alpha);
    }
  }
  return image;
}

int image_height(const CaptionLayout& caption, const TextImage& text, const TextStyle& style) {
  return text.first_baseline_px + above(caption.ink.bottom) + shadow_margin(style);
}

Result<gpu::RgbaImage> with_shadow(const gpu::RgbaImage& letters, const TextStyle& style) {
  const int margin = shadow_margin(style);
  Result<gpu::RgbaImage> shadow =
      silhouette(letters, {0, 0, 0, 255}, margin, style.shadow_sigma_px, style.shadow_opacity);
  if (!shadow) return shadow;
  gpu::RgbaImage out = crop(*shadow, {margin, margin, letters.size.width, letters.size.height});
  draw_over(out, letters, 0, 0);
  return out;
}

}  // namespace

TextImage describe_caption(const CaptionLayout& caption, const CaptionOrder& order) {
  const TextStyle& style = order.style;
  TextImage text;
  const int headroom = above(caption.size_px * kHeadroom) + above(style.outline_px);
  text.first_baseline_px = std::max(headroom, above(-caption.ink.top)) + shadow_margin(style);
  text.line_pitch_px = caption.line_pitch_px;
  text.lines = static_cast<int>(caption.starts_px.size());
  text.size_px = caption.size_px;
  const int left = static_cast<int>(std::floor(caption.ink.left));
  const int top = static_cast<int>(std::floor(caption.ink.top));
  text.ink = {left, text.first_baseline_px + top, above(caption.ink.right) - left,
              above(caption.ink.bottom) - top};
  return text;
}

Result<TextImage> draw_caption(const CaptionLayout& caption, const CaptionOrder& order) {
  TextImage text = describe_caption(caption, order);
  const gpu::Size size{order.box.width, image_height(caption, text, order.style)};
  const CairoSurfacePtr surface(
      cairo_image_surface_create(CAIRO_FORMAT_ARGB32, size.width, size.height));
  const CairoPtr cairo(cairo_create(surface.get()));
  cairo_set_antialias(cairo.get(), CAIRO_ANTIALIAS_BEST);
  if (order.style.outline_px > 0) {
    stroke_outlines(cairo.get(), caption, order, text.first_baseline_px);
  }
  fill_glyphs(cairo.get(), caption, order, text.first_baseline_px);
  if (cairo_status(cairo.get()) != CAIRO_STATUS_SUCCESS) {
    return failure(FailureKind::kMedia, std::string("the text can't be drawn: ") +
                                            cairo_status_to_string(cairo_status(cairo.get())));
  }
  text.image = to_rgba(surface.get(), size);
  text.ink = opaque_bounds(text.image, 0);
  if (order.style.shadow_sigma_px > 0) {
    Result<gpu::RgbaImage> shadowed = with_shadow(text.image, order.style);
    if (!shadowed) return shadowed.failure();
    text.image = std::move(*shadowed);
  }
  return text;
}

}  // namespace pytoon::media
