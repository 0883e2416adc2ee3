#include "engines/clip_verifier.h"

#include <algorithm>

#include "pipeline/media/video_probe.h"

namespace pytoon::engines {
namespace {

constexpr int kLeastEdgePx = 64;
// A picture counts as black when no sample of it reaches this code value.
constexpr int kBlackMax = 24;

bool is_black(const gpu::RgbaImage& picture) {
  for (std::size_t i = 0; i < picture.pixels.size(); ++i) {
    if (i % 4 != 3 && picture.pixels[i] > kBlackMax) return false;
  }
  return true;
}

Failure useless(const std::string& why) { return failure(FailureKind::kMedia, "the clip " + why); }

}  // namespace

Result<double> verify_clip(const std::filesystem::path& clip) {
  const Result<media::VideoFacts> facts = media::probe_video(clip);
  if (!facts) return useless("does not decode: " + facts.failure().detail);
  if (facts->codec != "h264") return useless("is " + facts->codec + ", not h264");
  if (facts->size.width < kLeastEdgePx || facts->size.height < kLeastEdgePx) {
    return useless("is too small");
  }
  // Begin, middle and end: one that fades in is none the worse for it.
  bool black = true;
  for (const std::int64_t index : {std::int64_t{0}, facts->frames / 2, facts->frames - 1}) {
    const Result<gpu::RgbaImage> picture = media::decode_frame(clip, index);
    if (!picture) return useless("does not decode: " + picture.failure().detail);
    black = black && is_black(*picture);
  }
  if (black) return useless("is black");
  return facts->duration_seconds;
}

}  // namespace pytoon::engines
