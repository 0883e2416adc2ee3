#include "engines/clip_verifier.h"

#include <algorithm>

#include "base/files.h"
#include "pipeline/media/decoder/clip_images.h"

namespace pytoon::engines {
namespace {

constexpr int kLeastEdgePx = 64;
// A frame counts as black when no sample of it reaches this code value.
constexpr int kBlackMax = 24;

bool is_black(const gpu::RgbaImage& frame) {
  for (std::size_t i = 0; i < frame.pixels.size(); ++i) {
    if (i % 4 != 3 && frame.pixels[i] > kBlackMax) return false;
  }
  return true;
}

Failure useless(const std::string& why) { return failure(FailureKind::kMedia, "the clip " + why); }

Result<double> verify_clip(media::FileDecoder& decoder, const std::filesystem::path& clip,
                           media::UnsaidMatrix matrix) {
  const Result<media::MediaInfo> facts = decoder.inspect(media::FileKind::kClip, clip);
  if (!facts) return useless("is no good: " + facts.failure().detail);
  if (facts->size.width < kLeastEdgePx || facts->size.height < kLeastEdgePx) {
    return useless("is too small");
  }
  const auto index = decoder.read_clip_index(clip);
  if (!index) return useless("is no good: " + index.failure().detail);
  // Begin, middle and end: one that fades in is none the worse for it.
  const std::size_t last = (*index)->times.starts.size() - 1;
  bool black = true;
  for (const std::size_t shown : {std::size_t{0}, last / 2, last}) {
    const Result<gpu::RgbaImage> frame = media::image_of_clip(decoder, *index, shown);
    if (!frame) return useless("is no good: " + frame.failure().detail);
    black = black && is_black(*frame);
  }
  if (black) return useless("is black");
  const Result<std::optional<std::string>> tagged = decoder.tagged_clip(clip, matrix);
  if (!tagged) return useless("is no good: " + tagged.failure().detail);
  if (*tagged) {
    if (Status kept = write_file_atomically(clip, **tagged); !kept) return kept.failure();
  }
  return facts->duration_seconds;
}

}  // namespace

ClipVerifier clip_verifier(media::FileDecoder& decoder) {
  return [&decoder](const std::filesystem::path& clip, media::UnsaidMatrix matrix) {
    return verify_clip(decoder, clip, matrix);
  };
}

}  // namespace pytoon::engines
