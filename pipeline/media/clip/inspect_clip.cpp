#include "pipeline/media/clip/inspect_clip.h"

#include <algorithm>

#include "pipeline/media/clip/clip_file.h"
#include "pipeline/media/clip/frame_decoder.h"
#include "pipeline/media/gst/element_failure.h"

namespace pytoon::media {
namespace {

constexpr std::int64_t kPixelsDecodedWhole = std::int64_t{1} << 31U;

Status check_frame(const AVFrame& frame) {
  const bool fits = std::max(frame.width, frame.height) <= kClipEdgeMaxPx &&
                    std::min(frame.width, frame.height) >= kClipEdgeMinPx;
  return fits ? ok_status() : Status(damaged_clip("in its index"));
}

Status decode(const ClipIndex& clip) {
  Result<std::unique_ptr<FrameDecoder>> decoder = open_frames(clip, nullptr, {}, Scrutiny::kAll);
  if (!decoder) return decoder.failure();
  std::int64_t pixels = 0;
  std::int64_t frames = 0;
  for (;;) {
    const Result<const AVFrame*> frame = (*decoder)->next();
    if (!frame) return frame.failure();
    if (*frame == nullptr) break;
    if (Status good = check_frame(**frame); !good) return good;
    ++frames;
    pixels += std::int64_t{(*frame)->width} * (*frame)->height;
    if (pixels > kPixelsDecodedWhole) (*decoder)->skip_to_key_frames();
  }
  return frames > 0 ? ok_status() : Status(damaged_clip("in its data"));
}

}  // namespace

Result<MediaInfo> inspect_clip(const std::filesystem::path& path) {
  return contained([&]() -> Result<MediaInfo> {
    const Result<std::shared_ptr<const ClipIndex>> index = index_clip(path);
    if (!index) return index.failure();
    const ClipIndex& clip = **index;
    if (Status good = decode(clip); !good) return good.failure();
    MediaInfo info;
    info.format = clip.format;
    info.codec = clip.codec;
    info.size = clip.upright;
    info.has_alpha = clip.has_alpha;
    info.duration_seconds = clip.times.seconds();
    return info;
  });
}

}  // namespace pytoon::media
