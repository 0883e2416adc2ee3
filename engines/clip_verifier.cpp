#include "engines/clip_verifier.h"

#include <algorithm>

#include "pipeline/media/clip/inspect_clip.h"
#include "pipeline/media/video_probe.h"

namespace pytoon::engines {
namespace {

constexpr int kLeastEdgePx = 64;
constexpr double kUsualRate = 30;              // to find a frame near the middle
constexpr std::int64_t kPastTheEnd = 100'000;  // shows the last frame
// A frame counts as black when no sample of it reaches this code value.
constexpr int kBlackMax = 24;

bool is_black(const gpu::RgbaImage& frame) {
  for (std::size_t i = 0; i < frame.pixels.size(); ++i) {
    if (i % 4 != 3 && frame.pixels[i] > kBlackMax) return false;
  }
  return true;
}

Failure useless(const std::string& why) { return failure(FailureKind::kMedia, "the clip " + why); }

}  // namespace

Result<double> verify_clip(const std::filesystem::path& clip, media::UnsaidMatrix matrix) {
  const Result<media::MediaInfo> facts = media::inspect_clip(clip);
  if (!facts) return useless("is no good: " + facts.failure().detail);
  if (facts->size.width < kLeastEdgePx || facts->size.height < kLeastEdgePx) {
    return useless("is too small");
  }
  // Begin, middle and end: one that fades in is none the worse for it.
  const auto middle = static_cast<std::int64_t>(facts->duration_seconds * kUsualRate / 2);
  bool black = true;
  for (const std::int64_t index : {std::int64_t{0}, middle, kPastTheEnd}) {
    const Result<gpu::RgbaImage> frame = media::decode_frame(clip, index);
    if (!frame) return useless("is no good: " + frame.failure().detail);
    black = black && is_black(*frame);
  }
  if (black) return useless("is black");
  if (Status tagged = media::tag_matrix(clip, matrix); !tagged) {
    return useless("is no good: " + tagged.failure().detail);
  }
  return facts->duration_seconds;
}

}  // namespace pytoon::engines
