// Files and texts of strangers: what looks at them before, or instead of, a decoder.
#include "base/check.h"
#include "pipeline/media/audio/audio_format.h"
#include "pipeline/media/clip/matroska_elements.h"
#include "pipeline/media/clip/movie_boxes.h"
#include "pipeline/media/text/text.h"
#include "tests/fuzz/fuzz_targets.h"
#include "tests/fuzz/memory_file.h"
#include "tests/support/source_dir.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::fuzz {
namespace {

const media::FontLibrary& fonts() {
  static const support::TemporaryFolder cache;
  static const auto library =
      media::FontLibrary::open({.font_dirs = {},
                                .fonts_yaml = support::source_dir() / "config/fonts.yaml",
                                .cache_dir = cache.path()});
  CHECK(library.ok(), "no fonts");
  return **library;
}

}  // namespace

void movie_boxes(std::string_view bytes) {
  const MemoryFile file(bytes);
  (void)media::check_movie_boxes(file.path());
  (void)media::check_audio_boxes(file.path());
}

void matroska_elements(std::string_view bytes) {
  const MemoryFile file(bytes);
  (void)media::check_matroska_elements(file.path());
}

void audio_format(std::string_view bytes) {
  const MemoryFile file(bytes);
  const auto format = media::audio_format_of(file.path());
  CHECK(!format || !format->demuxer.empty(), "a format without a demuxer");
}

// The first two bytes choose size and box, the rest is the text.
void caption_text(std::string_view bytes) {
  if (bytes.size() < 2 || bytes.size() > 400) return;
  media::TextStyle style;
  style.size_px = 33 + static_cast<unsigned char>(bytes[0]) % 64;
  const gpu::Size box{100 + 4 * static_cast<unsigned char>(bytes[1]), 500};
  const auto measured = fonts().measure(std::string(bytes.substr(2)), style, box);
  if (!measured) return;
  CHECK(measured->size_px >= style.min_size_px && measured->size_px <= style.size_px,
        "a size that was not asked for");
}

}  // namespace pytoon::fuzz
