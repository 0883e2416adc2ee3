#include <ft2build.h>
#include <hb.h>
#include <pango/pangocairo.h>
#include <pango/pangofc-fontmap.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <map>
#include <mutex>

#include "base/hash.h"
#include "base/text.h"
#include "pipeline/media/text/caption_drawing.h"
#include "pipeline/media/text/private_fonts.h"
#include "pipeline/media/text/text.h"

namespace pytoon::media {
namespace {

constexpr int kMaxSizePx = 512;
constexpr int kMaxBoxPx = 8192;
constexpr double kMaxEffectPx = 100;
// The product's own face, and what is always there, for families nobody knows.
constexpr const char* kLastResorts[] = {"Inter", "Noto Sans"};

Status check_style(const TextStyle& style, gpu::Size box) {
  const auto within = [](double value, double low, double high) {
    return value >= low && value <= high;
  };
  if (!within(style.size_px, 1, kMaxSizePx) || !within(style.min_size_px, 1, kMaxSizePx)) {
    return failure(FailureKind::kInvalid, "a text size is 1 to 512 px");
  }
  if (!within(style.weight, 1, 1000) || !within(style.line_height, 0.5, 5)) {
    return failure(FailureKind::kInvalid, "a weight is 1 to 1000, a line height 0.5 to 5");
  }
  if (!within(style.outline_px, 0, kMaxEffectPx) || !within(style.shadow_opacity, 0, 1) ||
      !within(style.shadow_sigma_px, 0, kMaxEffectPx)) {
    return failure(FailureKind::kInvalid,
                   "an outline or shadow is 0 to 100 px, its opacity 0 to 1");
  }
  if (!within(box.width, 1, kMaxBoxPx) || !within(box.height, 1, kMaxBoxPx)) {
    return failure(FailureKind::kInvalid, "a text box is 1 to 8192 px an edge");
  }
  return ok_status();
}

// The host's font settings and the user's locale stay out.
PangoContextPtr make_context(PangoFontMap* map, const std::string& language) {
  PangoContextPtr context(pango_font_map_create_context(map));
  const CairoFontOptionsPtr options(cairo_font_options_create());
  cairo_font_options_set_antialias(options.get(), CAIRO_ANTIALIAS_GRAY);
  cairo_font_options_set_hint_style(options.get(), CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(options.get(), CAIRO_HINT_METRICS_OFF);
  pango_cairo_context_set_font_options(context.get(), options.get());
  pango_context_set_round_glyph_positions(context.get(), FALSE);
  pango_context_set_language(context.get(), pango_language_from_string(language.c_str()));
  return context;
}

std::string freetype_version() {
  FT_Library library = nullptr;
  if (FT_Init_FreeType(&library) != 0) return "unknown";
  int major = 0;
  int minor = 0;
  int patch = 0;
  FT_Library_Version(library, &major, &minor, &patch);
  FT_Done_FreeType(library);
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

class PangoFontLibrary final : public FontLibrary {
 public:
  PangoFontLibrary(PrivateFonts fonts, FontTable table)
      : fonts_(std::move(fonts)),
        table_(std::move(table)),
        identity_(fonts_.identity()),
        map_(pango_cairo_font_map_new_for_font_type(CAIRO_FONT_TYPE_FT)) {
    CHECK(map_ != nullptr, "Cairo is built without FreeType");
    pango_fc_font_map_set_config(PANGO_FC_FONT_MAP(map_.get()), fonts_.config());
  }

  Result<TextImage> draw(const std::string& utf8, const TextStyle& style,
                         gpu::Size box) const override {
    return make(utf8, style, box, draw_caption);
  }

  Result<TextImage> measure(const std::string& utf8, const TextStyle& style,
                            gpu::Size box) const override {
    return make(utf8, style, box, describe_caption);
  }

  std::optional<FontSubstitution> substitution(const std::string& family) const override {
    const std::lock_guard lock(mutex_);
    if (fonts_.installed(family)) return std::nullopt;
    return FontSubstitution{family, choose(family).name()};
  }

  std::string fingerprint(const std::string& family) const override {
    const std::lock_guard lock(mutex_);
    const FontChoice font = choose(family);
    const auto known = fingerprints_.find(font.name());
    if (known != fingerprints_.end()) return known->second;
    Sha256 hash;
    hash.field(font.name());
    for (const std::string& file : fonts_.files(font.family)) {
      const Result<std::string> content = sha256_file(file);
      hash.field(content ? *content : content.failure().detail);
    }
    hash.field(identity_);
    hash.field(pango_version_string());
    hash.field(cairo_version_string());
    hash.field(hb_version_string());
    hash.field(freetype_version());
    return fingerprints_[font.name()] = hash.hex();
  }

  std::vector<std::string> missing_families() const override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> missing;
    for (const RequiredFamily& required : table_.required) {
      if (!fonts_.installed(required.family)) {
        missing.push_back(required.family + " (Debian package " + required.package + ")");
      }
    }
    for (const FontEntry& entry : table_.substitutes) {
      if (!fonts_.installed(entry.wanted) && !fonts_.installed(entry.use.family)) {
        missing.push_back(entry.use.family + " for " + entry.wanted + " (Debian package " +
                          entry.package + ")");
      }
    }
    return missing;
  }

 private:
  FontChoice choose(const std::string& family) const {
    if (fonts_.installed(family)) return {family, {}, "normal"};
    for (const FontEntry& entry : table_.substitutes) {
      const bool meant = lower_case(entry.wanted) == lower_case(family);
      if (meant && fonts_.installed(entry.use.family)) return entry.use;
    }
    for (const char* resort : kLastResorts) {
      if (fonts_.installed(resort)) return {resort, {}, "normal"};
    }
    return {"sans-serif", {}, "normal"};
  }

  template <typename Finish>
  Result<TextImage> make(const std::string& utf8, const TextStyle& style, gpu::Size box,
                         Finish finish) const {
    if (Status sane = check_style(style, box); !sane) return sane.failure();
    Result<CleanText> text = clean_text(utf8);
    if (!text) return text.failure();
    const std::lock_guard lock(mutex_);
    const FontChoice font = choose(style.family);
    const std::string fallback = fonts_.fallback_families(text->language);
    const CaptionOrder order{std::move(*text), font, fallback, style, box};
    const PangoContextPtr context = make_context(map_.get(), order.text.language);
    Result<CaptionLayout> caption = fit_caption(context.get(), order);
    if (!caption) return caption.failure();
    return finish(*caption, order);
  }

  mutable std::mutex mutex_;  // guards everything: Pango's font map is for one thread at a time
  const PrivateFonts fonts_;
  const FontTable table_;
  const std::string identity_;
  const PangoFontMapPtr map_;
  mutable std::map<std::string, std::string> fingerprints_;  // by the name of the font used
};

}  // namespace

Result<std::unique_ptr<FontLibrary>> FontLibrary::open(const Options& options) {
  Result<FontTable> table = read_font_table(options.fonts_yaml);
  if (!table) return table.failure();
  std::vector<std::filesystem::path> folders = options.font_dirs;
  if (folders.empty()) folders = {"/usr/share/fonts", "/usr/local/share/fonts"};
  Result<PrivateFonts> fonts = PrivateFonts::open(folders, options.cache_dir);
  if (!fonts) return fonts.failure();
  return std::unique_ptr<FontLibrary>(
      std::make_unique<PangoFontLibrary>(std::move(*fonts), std::move(*table)));
}

}  // namespace pytoon::media
