#include "pipeline/media/text/caption_layout.h"

#include <hb-ot.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <string_view>

#include "pipeline/media/text/private_fonts.h"
#include "pipeline/media/text/word_fonts.h"

namespace pytoon::media {
namespace {

double px(int pango_units) { return static_cast<double>(pango_units) / PANGO_SCALE; }

int whole_px(double value) { return static_cast<int>(std::ceil(value)); }

PangoStretch stretch_of(const std::string& word) {
  static constexpr const char* kWords[] = {"ultra-condensed", "extra-condensed", "condensed",
                                           "semi-condensed",  "normal",          "semi-expanded",
                                           "expanded",        "extra-expanded",  "ultra-expanded"};
  const auto* const found = std::find(std::begin(kWords), std::end(kWords), word);
  return found == std::end(kWords) ? PANGO_STRETCH_NORMAL
                                   : static_cast<PangoStretch>(found - std::begin(kWords));
}

PangoFontDescriptionPtr describe(const CaptionOrder& order, const std::string& families,
                                 int size_px) {
  PangoFontDescriptionPtr font(pango_font_description_new());
  pango_font_description_set_family(font.get(), families.c_str());
  const int weight = order.font.weight.value_or(order.style.weight);
  pango_font_description_set_weight(font.get(), static_cast<PangoWeight>(weight));
  pango_font_description_set_stretch(font.get(), stretch_of(order.font.stretch));
  pango_font_description_set_absolute_size(font.get(), static_cast<double>(size_px) * PANGO_SCALE);
  return font;
}

// Colour bitmaps are resampled, so their edge may lie a pixel further out than reported.
double colour_margin(PangoLayoutLine* line) {
  for (GSList* run = line->runs; run != nullptr; run = run->next) {
    const auto* const item = static_cast<PangoLayoutRun*>(run->data);
    if (has_colours(item->item->analysis.font)) return 1;
  }
  return 0;
}

bool is_nastaliq(PangoFont* font) {
  const PangoFontDescriptionPtr described(font == nullptr ? nullptr : pango_font_describe(font));
  const char* const family =
      described ? pango_font_description_get_family(described.get()) : nullptr;
  return family != nullptr && std::string_view(family) == kNastaliq;
}

bool has_nastaliq(PangoLayout* layout) {
  for (GSList* at = pango_layout_get_lines_readonly(layout); at != nullptr; at = at->next) {
    for (GSList* run = static_cast<PangoLayoutLine*>(at->data)->runs; run; run = run->next) {
      const auto* const item = static_cast<PangoLayoutRun*>(run->data);
      if (is_nastaliq(item->item->analysis.font)) return true;
    }
  }
  return false;
}

// Nastaliq's words descend from right to left across their line, by as much as they are long: lines
// stand as far apart as the tallest of them needs, instead of running into each other.
int line_pitch_px(PangoLayout* layout, const CaptionOrder& order, int size_px) {
  constexpr double kLeastOfNastaliq = 2;
  constexpr double kGap = 0.15;
  const int usual = static_cast<int>(std::lround(size_px * order.style.line_height));
  if (!has_nastaliq(layout)) return usual;
  const double around = 2 * order.style.outline_px + kGap * size_px;
  double pitch = std::max(static_cast<double>(usual), kLeastOfNastaliq * size_px);
  std::optional<double> bottom;
  for (GSList* at = pango_layout_get_lines_readonly(layout); at != nullptr; at = at->next) {
    PangoRectangle ink{};
    pango_layout_line_get_extents(static_cast<PangoLayoutLine*>(at->data), &ink, nullptr);
    if (bottom) pitch = std::max(pitch, *bottom - px(ink.y) + around);
    bottom = px(ink.y + ink.height);
  }
  return whole_px(pitch);
}

// Lines are centred by what is seen, not by advance widths.
void place_lines(CaptionLayout& caption, const CaptionOrder& order) {
  InkExtent all{std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest(),
                std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest()};
  int baseline = 0;
  for (GSList* at = pango_layout_get_lines_readonly(caption.layout.get()); at != nullptr;
       at = at->next, baseline += caption.line_pitch_px) {
    auto* const line = static_cast<PangoLayoutLine*>(at->data);
    PangoRectangle ink{};
    pango_layout_line_get_extents(line, &ink, nullptr);
    const double start = (order.box.width - px(ink.width)) / 2 - px(ink.x);
    caption.starts_px.push_back(start);
    if (ink.width <= 0) continue;
    const double grown = order.style.outline_px + colour_margin(line);
    all.left = std::min(all.left, start + px(ink.x) - grown);
    all.right = std::max(all.right, start + px(ink.x + ink.width) + grown);
    all.top = std::min(all.top, baseline + px(ink.y) - grown);
    all.bottom = std::max(all.bottom, baseline + px(ink.y + ink.height) + grown);
  }
  caption.ink = all.left > all.right ? InkExtent{} : all;
}

// Korean lines break between words, not inside them as those of Chinese and Japanese do.
void keep_korean_words(const std::string& text, PangoAttrList* attributes) {
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", start), text.size());
    PangoAttribute* const whole = pango_attr_allow_breaks_new(FALSE);
    whole->start_index = static_cast<guint>(start);
    whole->end_index = static_cast<guint>(end);
    pango_attr_list_insert(attributes, whole);
    start = end + 1;
  }
}

struct FreeFont {
  void operator()(PangoFont* font) const { g_object_unref(font); }
};

PangoAttrListPtr attributes_of(PangoContext* context, const CaptionOrder& order, int size_px,
                               PangoWrapMode wrap) {
  PangoAttrListPtr attributes(pango_attr_list_new());
  const PangoFontDescriptionPtr own = describe(order, order.font.family, size_px);
  const std::unique_ptr<PangoFont, FreeFont> font(pango_context_load_font(context, own.get()));
  if (font) {
    keep_words_in_one_font(order.text.utf8, font.get(), order.fallback, attributes.get());
  }
  if (order.text.language == "ko" && wrap == PANGO_WRAP_WORD) {
    keep_korean_words(order.text.utf8, attributes.get());
  }
  return attributes;
}

CaptionLayout lay_out(PangoContext* context, const CaptionOrder& order, int size_px,
                      PangoWrapMode wrap, int width_px) {
  CaptionLayout caption;
  caption.size_px = size_px;
  caption.layout.reset(pango_layout_new(context));
  PangoLayout* const layout = caption.layout.get();
  pango_layout_set_font_description(
      layout, describe(order, order.font.family + "," + order.fallback, size_px).get());
  pango_layout_set_width(layout, width_px * PANGO_SCALE);
  pango_layout_set_wrap(layout, wrap);
  pango_layout_set_text(layout, order.text.utf8.data(), static_cast<int>(order.text.utf8.size()));
  pango_layout_set_attributes(layout, attributes_of(context, order, size_px, wrap).get());
  caption.line_pitch_px = line_pitch_px(layout, order, size_px);
  place_lines(caption, order);
  return caption;
}

bool fits(const CaptionLayout& caption, gpu::Size box) {
  const InkExtent& ink = caption.ink;
  return ink.left >= 0 && ink.right <= box.width &&
         std::ceil(ink.bottom) - std::floor(ink.top) <= box.height;
}

double widest_line(const CaptionLayout& caption) {
  PangoRectangle logical{};
  pango_layout_get_extents(caption.layout.get(), nullptr, &logical);
  return px(logical.width);
}

std::vector<std::uint32_t> missing_glyphs(PangoLayout* layout) {
  std::vector<std::uint32_t> missing;
  if (pango_layout_get_unknown_glyphs_count(layout) == 0) return missing;
  for (GSList* at = pango_layout_get_lines_readonly(layout); at != nullptr; at = at->next) {
    for (GSList* run = static_cast<PangoLayoutLine*>(at->data)->runs; run; run = run->next) {
      const PangoGlyphString* const glyphs = static_cast<PangoLayoutRun*>(run->data)->glyphs;
      for (int i = 0; i < glyphs->num_glyphs; ++i) {
        const PangoGlyph glyph = glyphs->glyphs[i].glyph;
        if ((glyph & PANGO_GLYPH_UNKNOWN_FLAG) == 0) continue;
        const std::uint32_t code_point = glyph & ~PANGO_GLYPH_UNKNOWN_FLAG;
        if (std::find(missing.begin(), missing.end(), code_point) == missing.end()) {
          missing.push_back(code_point);
        }
      }
    }
  }
  return missing;
}

// The narrowest setting with as many lines, so that none is left with a single short word.
CaptionLayout balanced(PangoContext* context, const CaptionOrder& order, CaptionLayout caption,
                       int width_px) {
  if (caption.starts_px.size() < 2) return caption;
  int too_narrow = width_px / 3;
  int enough = width_px;
  while (enough - too_narrow > 4) {
    const int middle = (enough + too_narrow) / 2;
    CaptionLayout candidate = lay_out(context, order, caption.size_px, PANGO_WRAP_WORD, middle);
    if (candidate.starts_px.size() == caption.starts_px.size() && fits(candidate, order.box) &&
        widest_line(candidate) <= middle) {
      caption = std::move(candidate);
      enough = middle;
    } else {
      too_narrow = middle;
    }
  }
  return caption;
}

Failure too_long(const CaptionOrder& order, int size_px) {
  return failure(FailureKind::kInvalid,
                 "the text does not fit into " + std::to_string(order.box.width) + "x" +
                     std::to_string(order.box.height) + " px, even at " + std::to_string(size_px) +
                     " px with its words broken; shorten it");
}

}  // namespace

bool has_colours(PangoFont* font) {
  hb_font_t* const shaper = font == nullptr ? nullptr : pango_font_get_hb_font(font);
  if (shaper == nullptr) return false;
  hb_face_t* const face = hb_font_get_face(shaper);
  return hb_ot_color_has_png(face) || hb_ot_color_has_layers(face) || hb_ot_color_has_svg(face);
}

Result<CaptionLayout> fit_caption(PangoContext* context, const CaptionOrder& order) {
  const int width = std::max(order.box.width - 2 * whole_px(order.style.outline_px), 1);
  const int most = order.style.size_px;
  const int least = std::min(order.style.min_size_px, most);
  CaptionLayout wished = lay_out(context, order, most, PANGO_WRAP_WORD, width);
  if (const auto missing = missing_glyphs(wished.layout.get()); !missing.empty()) {
    return failure(FailureKind::kInvalid, "no font has a glyph for " + name_code_points(missing));
  }
  if (fits(wished, order.box)) return balanced(context, order, std::move(wished), width);
  CaptionLayout best = lay_out(context, order, least, PANGO_WRAP_WORD, width);
  if (!fits(best, order.box)) {
    CaptionLayout broken = lay_out(context, order, least, PANGO_WRAP_WORD_CHAR, width);
    if (!fits(broken, order.box)) return too_long(order, least);
    return broken;
  }
  int fitting = least;
  int failing = most;
  while (failing - fitting > 1) {
    const int middle = (fitting + failing) / 2;
    CaptionLayout candidate = lay_out(context, order, middle, PANGO_WRAP_WORD, width);
    if (fits(candidate, order.box)) {
      best = std::move(candidate);
      fitting = middle;
    } else {
      failing = middle;
    }
  }
  return balanced(context, order, std::move(best), width);
}

}  // namespace pytoon::media
