#include "pipeline/render/caption_layout.h"

#include <algorithm>
#include <climits>

#include "pipeline/render/layout.h"
#include "pipeline/spec/field_reader.h"

namespace pytoon::render {
namespace {

constexpr double kShadowSigmaPx = 7;  // of the design

// The JSON pointers of the shown captions, in the order of the timings.
std::vector<std::string> pointers_of(const spec::CaptionsPlan& plan) {
  std::vector<std::string> pointers;
  if (!plan.hook.empty()) pointers.emplace_back("/captions/hook");
  for (std::size_t i = 0; i < plan.beats.size(); ++i) {
    if (!plan.beats[i].empty()) pointers.push_back("/captions/beats/" + std::to_string(i));
  }
  if (!plan.cta.empty()) pointers.emplace_back("/captions/cta");
  return pointers;
}

// The size that every caption fits at: the smallest of their own sizes.
Result<int> common_size(const spec::RenderSpec& spec, const media::FontLibrary& fonts) {
  const media::TextStyle style = text_style(spec);
  const gpu::Rect zone = caption_zone(spec);
  const std::vector<std::string> pointers = pointers_of(spec.captions_plan);
  std::vector<FieldFault> faults;
  int size_px = style.size_px;
  for (std::size_t i = 0; i < spec.captions_plan.timings.size(); ++i) {
    const Result<media::TextImage> fit =
        fonts.measure(spec.captions_plan.timings[i].text, style, {zone.width, zone.height});
    if (fit) {
      size_px = std::min(size_px, fit->size_px);
    } else if (fit.failure().kind == FailureKind::kInvalid) {
      faults.push_back({i < pointers.size() ? pointers[i] : "/captions", fit.failure().detail});
    } else {
      return fit.failure();
    }
  }
  if (!faults.empty()) return spec::invalid(std::move(faults));
  return size_px;
}

// How far glyphs reach above the first baseline, below the last, and how many lines there are at
// most: what one baseline for all captions must leave room for.
struct Reach {
  int above_px = 0;
  int below_px = 0;
  int lines = 1;
};

Reach reach_of(const std::vector<media::TextImage>& texts) {
  Reach reach;
  for (const media::TextImage& p : texts) {
    const int last_baseline = p.first_baseline_px + (p.lines - 1) * p.line_pitch_px;
    reach.above_px = std::max(reach.above_px, p.first_baseline_px - p.ink.y);
    reach.below_px = std::max(reach.below_px, p.ink.y + p.ink.height - last_baseline);
    reach.lines = std::max(reach.lines, p.lines);
  }
  return reach;
}

// The frame row of an image's first baseline.
int first_baseline_row(spec::CaptionPosition position, const gpu::Rect& zone, const Reach& reach,
                       const media::TextImage& text) {
  const int span = (text.lines - 1) * text.line_pitch_px;
  switch (position) {
    case spec::CaptionPosition::kUpperThird:
    case spec::CaptionPosition::kTopBar:
      return zone.y + reach.above_px;
    case spec::CaptionPosition::kCenter: {
      const int middle = zone.y + zone.height / 2;
      return middle - (span - reach.above_px + reach.below_px) / 2;
    }
    case spec::CaptionPosition::kLowerThird:
      return zone.y + zone.height - reach.below_px - span;
  }
  CHECK(false, "a caption position has no place");
}

gpu::Rect hull(const gpu::Rect& a, const gpu::Rect& b) {
  if (a.width == 0) return b;
  const int x = std::min(a.x, b.x);
  const int y = std::min(a.y, b.y);
  return {x, y, std::max(a.x + a.width, b.x + b.width) - x,
          std::max(a.y + a.height, b.y + b.height) - y};
}

}  // namespace

media::TextStyle text_style(const spec::RenderSpec& spec) {
  media::TextStyle style;
  style.family = spec.style.caption.font;
  style.min_size_px = spec.output.scaled_px(style.min_size_px);
  style.size_px = caption_size_px(spec.style.caption.size_rule, spec.output);
  switch (spec.archetype) {
    case spec::Archetype::kProductHero:
      style.weight = 700;
      style.shadow_sigma_px = spec.output.scaled(kShadowSigmaPx);
      style.shadow_opacity = 0.55;
      break;
    case spec::Archetype::kOverlay:
      style.weight = 600;
      break;
    case spec::Archetype::kMemeText:
      style.weight = 900;
      style.outline_px = style.size_px / 14.0;
      style.line_height = 1.15;
      break;
  }
  return style;
}

Status check_captions(const spec::RenderSpec& spec, const media::FontLibrary& fonts) {
  const Result<int> size = common_size(spec, fonts);
  if (!size) return size.failure();
  return ok_status();
}

Result<CaptionLayout> lay_out_captions(const spec::RenderSpec& spec,
                                       const media::FontLibrary& fonts) {
  CaptionLayout sheet;
  const Result<int> size = common_size(spec, fonts);
  if (!size) return size.failure();
  sheet.size_px = *size;

  media::TextStyle style = text_style(spec);
  style.size_px = *size;
  const gpu::Rect zone = caption_zone(spec);
  std::vector<media::TextImage> texts;
  for (const spec::CaptionTiming& timing : spec.captions_plan.timings) {
    Result<media::TextImage> text = fonts.draw(timing.text, style, {zone.width, zone.height});
    if (!text) return text.failure();
    texts.push_back(std::move(*text));
  }

  const plan::Timeline timeline = plan::make_timeline(spec);
  const Reach reach = reach_of(texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    media::TextImage& p = texts[i];
    const int row = first_baseline_row(spec.style.caption.position, zone, reach, p);
    Caption caption;
    caption.frames = timeline.captions[i].frames;
    caption.place = {(spec.output.width - p.image.size.width) / 2, row - p.first_baseline_px,
                     p.image.size.width, p.image.size.height};
    caption.ink = {caption.place.x + p.ink.x, caption.place.y + p.ink.y, p.ink.width, p.ink.height};
    caption.text = std::move(p.image);
    sheet.reserved = hull(sheet.reserved, caption.ink);
    sheet.captions.push_back(std::move(caption));
  }
  return sheet;
}

}  // namespace pytoon::render
