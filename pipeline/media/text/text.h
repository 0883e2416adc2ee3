// Captions as images: Pango lays out, Cairo draws. Any script, right-to-left, emoji.
//
// Fonts come from a private fontconfig made from the folders given, the same in every process: the
// caption's family first, Noto (core, CJK, colour emoji) for glyphs it lacks. A family that is not
// installed is mapped by config/fonts.yaml to its nearest free relative.
//
// Thread rule: a FontLibrary may be used from any thread; calls are serialised inside, so a caller
// may wait for another's. Drawing takes milliseconds, measuring about half. open() reads every font
// of the folders: up to seconds without a cache. Errors of open(): kInvalid (fonts.yaml), kIo.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/image.h"

namespace pytoon::media {

struct TextStyle {
  std::string family = "Inter";
  int weight = 700;      // 100..900, CSS meaning
  int size_px = 56;      // em size wished for
  int min_size_px = 32;  // text shrinks to this, then words break, then it does not fit
  gpu::Rgba color{255, 255, 255, 255};
  double outline_px = 0;  // outline drawn around glyphs, in outline_color
  gpu::Rgba outline_color{0, 0, 0, 255};
  double shadow_sigma_px = 0;  // soft shadow under the glyphs; 0: none
  double shadow_opacity = 0.6;
  // Of the em size: baselines are at exact multiples. Nastaliq takes 2 at least, and what its words
  // need.
  double line_height = 1.2;
};

struct TextImage {
  gpu::RgbaImage image;       // box-wide, as high as ink and shadow need
  gpu::Rect ink;              // glyphs and outline without shadow, in image pixels
  int first_baseline_px = 0;  // from the top of image
  int line_pitch_px = 0;      // from baseline to baseline
  int lines = 0;
  int size_px = 0;  // em size used
};

// A family asked for and the one used instead.
struct FontSubstitution {
  std::string wanted;
  std::string used;
};

class FontLibrary {
 public:
  struct Options {
    std::vector<std::filesystem::path> font_dirs;  // empty: the system's font folders
    std::filesystem::path fonts_yaml;              // config/fonts.yaml
    std::filesystem::path cache_dir;               // fontconfig's cache
  };
  static Result<std::unique_ptr<FontLibrary>> open(const Options& options);
  virtual ~FontLibrary() = default;

  // Draws text centred in lines at most box.width wide, at most box.height high in all. '\n' breaks
  // a line. kInvalid when it does not fit at min_size_px even with words broken, or when a
  // character has no glyph in any font (the detail names it: "U+1F9FF").
  virtual Result<TextImage> draw(const std::string& utf8, const TextStyle& style,
                                 gpu::Size box) const = 0;
  // The same without drawing: only whether it would succeed, and the size in px it would take.
  virtual Result<TextImage> measure(const std::string& utf8, const TextStyle& style,
                                    gpu::Size box) const = 0;
  // What is used when family is asked for: nullopt when it is installed itself.
  virtual std::optional<FontSubstitution> substitution(const std::string& family) const = 0;
  // A hash of everything that decides glyph shapes for this family: font files and versions.
  virtual std::string fingerprint(const std::string& family) const = 0;
  // Families that must be there and are not: empty when all is well. For doctor.
  virtual std::vector<std::string> missing_families() const = 0;
};

}  // namespace pytoon::media
