#include "pipeline/render/scrim.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"
#include "pipeline/media/image/image_ops.h"

namespace pytoon::render {
namespace {

constexpr double kLeastContrast = 4.5;
constexpr double kSafetyFactor = 1.06;  // chroma subsampling and the encoder take a little
// Lengths in px of the design.
constexpr double kBandFadePx = 220;
constexpr double kBandPaddingPx = 24;
constexpr double kBoxPaddingX = 34;
constexpr double kBoxPaddingY = 24;
constexpr double kBoxRadius = 28;
constexpr int kBarPadding = 30;

double linear(double code) {
  return code <= 0.04045 ? code / 12.92 : std::pow((code + 0.055) / 1.055, 2.4);
}

// linear() between values of a table, for code values 0..1: a caption has some 100,000 of them,
// and each is asked again at every opacity. Exact to 1e-7.
class LinearTable {
 public:
  LinearTable() {
    for (std::size_t i = 0; i < values_.size(); ++i) {
      values_[i] = linear(static_cast<double>(i) / kSteps);
    }
  }
  double at(double code) const {
    const double place = code * kSteps;
    const auto below = static_cast<std::size_t>(place);
    const double part = place - static_cast<double>(below);
    return values_[below] + part * (values_[below + 1] - values_[below]);
  }

 private:
  static constexpr std::size_t kSteps = 2048;
  std::array<double, kSteps + 2> values_{};
};

double usual_opacity(spec::Archetype archetype) {
  switch (archetype) {
    case spec::Archetype::kProductHero:
      return 0.28;
    case spec::Archetype::kOverlay:
      return 0.50;
    case spec::Archetype::kMemeText:
      return 0.75;
  }
  CHECK(false, "an archetype has no scrim");
}

double smoothstep(double u) {
  u = std::clamp(u, 0.0, 1.0);
  return u * u * (3 - 2 * u);
}

gpu::Rect even_rect(int x0, int y0, int x1, int y1, const spec::Output& frame) {
  x0 = std::max(0, x0) / 2 * 2;
  y0 = std::max(0, y0) / 2 * 2;
  x1 = std::min(frame.width, (x1 + 1) / 2 * 2);
  y1 = std::min(frame.height, (y1 + 1) / 2 * 2);
  return {x0, y0, x1 - x0, y1 - y0};
}

std::uint8_t alpha_of(double opacity) {
  return static_cast<std::uint8_t>(std::lround(opacity * 255));
}

// Fills `part` of a plate, in frame coordinates as all here, with black whose opacity is
// opacity_at(x, y) at pixel centres.
template <typename F>
void fill(Plate& plate, const gpu::Rect& part, F opacity_at) {
  for (int y = part.y; y < part.y + part.height; ++y) {
    std::uint8_t* pixel = plate.image.at(part.x - plate.place.x, y - plate.place.y);
    for (int x = part.x; x < part.x + part.width; ++x, pixel += 4) {
      pixel[3] = alpha_of(opacity_at(x + 0.5, y + 0.5));
    }
  }
}

// The same where the opacity is one over each row: opacity_at(y).
template <typename F>
void fill_rows(Plate& plate, const gpu::Rect& part, F opacity_at) {
  for (int y = part.y; y < part.y + part.height; ++y) {
    const std::uint8_t alpha = alpha_of(opacity_at(y + 0.5));
    std::uint8_t* pixel = plate.image.at(part.x - plate.place.x, y - plate.place.y);
    for (int x = 0; x < part.width; ++x, pixel += 4) pixel[3] = alpha;
  }
}

// The band of a hero: where it is at its darkest, and how far it fades beyond.
struct Band {
  double top = 0;
  double bottom = 0;
  double fade = 0;
  bool to_top = false;
  bool to_bottom = false;
};

// Over the whole width, soft above and below; under a lower third it runs to the bottom.
Band band_of(const Caption& caption, const spec::RenderSpec& spec) {
  const spec::CaptionPosition position = spec.style.caption.position;
  const double padding = spec.output.scaled(kBandPaddingPx);
  Band band;
  band.fade = spec.output.scaled(kBandFadePx);
  band.top = caption.ink.y - padding;
  band.bottom = caption.ink.y + caption.ink.height + padding;
  band.to_bottom = position == spec::CaptionPosition::kLowerThird;
  band.to_top =
      position == spec::CaptionPosition::kUpperThird || position == spec::CaptionPosition::kTopBar;
  return band;
}

gpu::Rect place_of(const Band& band, const spec::Output& output) {
  const int first = band.to_top ? 0 : static_cast<int>(band.top - band.fade);
  const int last = band.to_bottom ? output.height : static_cast<int>(band.bottom + band.fade);
  return even_rect(0, first, output.width, last, output);
}

void fill_band(Plate& plate, const gpu::Rect& part, const Band& band, double opacity) {
  fill_rows(plate, part, [&](double y) {
    if (y < band.top && !band.to_top) {
      return opacity * smoothstep((y - (band.top - band.fade)) / band.fade);
    }
    if (y > band.bottom && !band.to_bottom) {
      return opacity * smoothstep((band.bottom + band.fade - y) / band.fade);
    }
    return opacity;
  });
}

// An overlay's box, its corners rounded.
struct Box {
  double x0, y0, x1, y1;
  double radius;
};

Box box_of(const Caption& caption, const spec::Output& output) {
  const double x = output.scaled(kBoxPaddingX);
  const double y = output.scaled(kBoxPaddingY);
  return {caption.ink.x - x, caption.ink.y - y, caption.ink.x + caption.ink.width + x,
          caption.ink.y + caption.ink.height + y, output.scaled(kBoxRadius)};
}

gpu::Rect place_of(const Box& box, const spec::Output& output) {
  return even_rect(static_cast<int>(box.x0) - 2, static_cast<int>(box.y0) - 2,
                   static_cast<int>(box.x1) + 2, static_cast<int>(box.y1) + 2, output);
}

void fill_box(Plate& plate, const gpu::Rect& part, const Box& box, double opacity) {
  const double radius = box.radius;
  fill(plate, part, [&](double x, double y) {
    // Distance to a rounded rectangle; half a pixel of softness at its edge.
    const double dx = std::max({box.x0 + radius - x, x - (box.x1 - radius), 0.0});
    const double dy = std::max({box.y0 + radius - y, y - (box.y1 - radius), 0.0});
    return opacity * std::clamp(radius - std::hypot(dx, dy) + 0.5, 0.0, 1.0);
  });
}

gpu::Rect bar_place(const Caption& caption, const spec::Output& output) {
  const int bottom = caption.ink.y + caption.ink.height + output.scaled_px(kBarPadding);
  return even_rect(0, 0, output.width, bottom, output);
}

enum class Shape { kBand, kBox, kBar };

Shape shape_of(const spec::RenderSpec& spec) {
  switch (spec.archetype) {
    case spec::Archetype::kProductHero:
      return Shape::kBand;
    case spec::Archetype::kOverlay:
      return Shape::kBox;
    case spec::Archetype::kMemeText:
      return spec.style.caption.position == spec::CaptionPosition::kTopBar ? Shape::kBar
                                                                           : Shape::kBox;
  }
  CHECK(false, "an archetype has no scrim");
}

gpu::Rect scrim_place(const spec::RenderSpec& spec, const Caption& caption) {
  switch (shape_of(spec)) {
    case Shape::kBand:
      return place_of(band_of(caption, spec), spec.output);
    case Shape::kBox:
      return place_of(box_of(caption, spec.output), spec.output);
    case Shape::kBar:
      return bar_place(caption, spec.output);
  }
  CHECK(false, "a scrim has no place");
}

// Into a plate that holds nothing yet.
void draw_scrim(const spec::RenderSpec& spec, const Caption& caption, double opacity,
                Plate& plate) {
  const gpu::Rect part = scrim_place(spec, caption);
  switch (shape_of(spec)) {
    case Shape::kBand:
      fill_band(plate, part, band_of(caption, spec), opacity);
      break;
    case Shape::kBox:
      fill_box(plate, part, box_of(caption, spec.output), opacity);
      break;
    case Shape::kBar:
      fill_rows(plate, part, [&](double) { return opacity; });
      break;
  }
}

}  // namespace

void add_backdrop(const gpu::HostNv12View& frame, const Caption& caption, Backdrop& backdrop) {
  constexpr std::uint8_t kGlyph = 128;  // coverage from which a pixel counts as glyph
  for (int y = 0; y < caption.text.size.height; y += 2) {
    for (int x = 0; x < caption.text.size.width; x += 2) {
      const int fx = caption.place.x + x;
      const int fy = caption.place.y + y;
      const std::uint8_t* p = caption.text.at(x, y);
      const bool bright = p[3] >= kGlyph && p[0] >= kGlyph && p[1] >= kGlyph;
      if (!bright || fx < 0 || fy < 0 || fx >= frame.size.width || fy >= frame.size.height)
        continue;
      const auto row = static_cast<std::size_t>(fy);
      const auto column = static_cast<std::size_t>(fx);
      const std::uint8_t* chroma =
          frame.chroma + row / 2 * frame.chroma_pitch_bytes + column / 2 * 2;
      const float luma = (frame.luma[row * frame.luma_pitch_bytes + column] - 16) / 219.0F;
      const float cb = (chroma[0] - 128) / 224.0F;
      const float cr = (chroma[1] - 128) / 224.0F;
      // BT.709-6 table 3.
      backdrop.pixels.push_back(
          {luma + 1.5748F * cr, luma - 0.1873F * cb - 0.4681F * cr, luma + 1.8556F * cb});
    }
  }
}

double contrast_under(const Backdrop& backdrop, double opacity) {
  if (backdrop.pixels.empty()) return 21;
  std::vector<double> luminance;
  luminance.reserve(backdrop.pixels.size());
  const double keep = 1 - opacity;
  static const LinearTable kLinear;
  for (const Backdrop::Pixel& p : backdrop.pixels) {
    const auto part = [&](float code) { return kLinear.at(std::clamp<double>(code, 0, 1) * keep); };
    luminance.push_back(0.2126 * part(p.r) + 0.7152 * part(p.g) + 0.0722 * part(p.b));
  }
  const auto at =
      static_cast<std::ptrdiff_t>(std::min(luminance.size() - 1, luminance.size() * 95 / 100));
  std::nth_element(luminance.begin(), luminance.begin() + at, luminance.end());
  return 1.05 / (luminance[static_cast<std::size_t>(at)] + 0.05);
}

// The first step that is enough, or the last: contrast only grows with opacity.
double scrim_opacity(spec::Archetype archetype, const Backdrop& backdrop) {
  std::vector<double> steps{usual_opacity(archetype)};
  while (steps.back() < 0.9) steps.push_back(steps.back() + 0.02);
  return *std::partition_point(steps.begin(), std::prev(steps.end()), [&](double opacity) {
    return contrast_under(backdrop, opacity) < kLeastContrast * kSafetyFactor;
  });
}

// Holds both the scrim and the text, which may reach beyond it.
gpu::Rect plate_place(const spec::RenderSpec& spec, const Caption& caption) {
  const gpu::Rect scrim = scrim_place(spec, caption);
  const gpu::Rect& text = caption.place;
  return even_rect(std::min(scrim.x, text.x), std::min(scrim.y, text.y),
                   std::max(scrim.x + scrim.width, text.x + text.width),
                   std::max(scrim.y + scrim.height, text.y + text.height), spec.output);
}

Plate make_plate(const spec::RenderSpec& spec, const Caption& caption, double opacity) {
  const gpu::Rect place = plate_place(spec, caption);
  Plate plate{gpu::RgbaImage({place.width, place.height}), place};
  draw_scrim(spec, caption, opacity, plate);
  media::draw_over(plate.image, caption.text, caption.place.x - plate.place.x,
                   caption.place.y - plate.place.y);
  return plate;
}

}  // namespace pytoon::render
