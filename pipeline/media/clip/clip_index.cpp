#include "pipeline/media/clip/clip_index.h"

#include <algorithm>
#include <cmath>

#include "pipeline/media/clip/animation_decoder.h"
#include "pipeline/media/clip/clip_file.h"
#include "pipeline/media/clip/cutout_converter.h"
#include "pipeline/media/gst/element_failure.h"

namespace pytoon::media {
namespace {

Status check_size(const std::filesystem::path& path) {
  const Result<InputFile> file = InputFile::open(path);
  if (!file) return file.failure();
  if (file->size() > static_cast<std::uint64_t>(kClipBytesMax)) {
    return failure(FailureKind::kTooLarge, "a clip may have 300 MB at most");
  }
  return ok_status();
}

Failure too_long() {
  return failure(FailureKind::kInvalid,
                 "the clip is longer than " + std::to_string(kClipSecondsMax) + " s: cut it");
}

// Every packet's head: when it is shown and whether decoding can begin there.
struct Scan {
  struct Shown {
    std::int64_t start = 0;
    std::int64_t end = 0;
  };
  std::vector<Shown> frames;
  std::vector<KeyFrame> key_frames;
  std::int64_t packets = 0;
  bool has_alpha = false;
};

// A ProRes frame's head says how many bits of alpha follow. Source: SMPTE RDD 36 section 5.1.1.
bool has_prores_alpha(const AVPacket& frame) {
  constexpr int kAlphaAt = 25;
  constexpr unsigned kAlphaBits = 15;
  return frame.size > kAlphaAt && (frame.data[kAlphaAt] & kAlphaBits) != 0;
}

Result<Scan> scan(ClipFile& clip) {
  constexpr std::size_t kFramesMax = std::size_t{kClipRateMax} * kClipSecondsMax;
  Scan found;
  const PacketPtr packet = make_packet();
  for (;;) {
    const Result<bool> more = clip.next(packet.get());
    if (!more) return more.failure();
    if (!*more) break;
    const bool prores = clip.track()->codecpar->codec_id == AV_CODEC_ID_PRORES;
    if (found.packets++ == 0 && prores) found.has_alpha = has_prores_alpha(*packet);
    if ((packet->flags & AV_PKT_FLAG_KEY) != 0) {
      found.key_frames.push_back({packet->pts, packet->dts});
    }
    if ((packet->flags & AV_PKT_FLAG_DISCARD) != 0) continue;  // an edit list leaves it out
    found.frames.push_back(
        {packet->pts, packet->pts + std::max<std::int64_t>(0, packet->duration)});
    if (found.frames.size() > kFramesMax) {
      return failure(FailureKind::kInvalid,
                     "the clip has more than " + std::to_string(kFramesMax) + " frames");
    }
  }
  const int claimed = avformat_index_get_entries_count(clip.track());
  if (found.packets < claimed || found.frames.empty() || found.key_frames.empty()) {
    return damaged_clip("in its data");
  }
  return found;
}

Result<ClipTimes> times_of(const std::vector<Scan::Shown>& frames, AVRational tick) {
  ClipTimes times;
  times.tick_num = tick.num;
  times.tick_den = tick.den;
  std::int64_t first = frames.front().start;
  for (const Scan::Shown& frame : frames) first = std::min(first, frame.start);
  std::int64_t end = first;
  for (const Scan::Shown& frame : frames) {
    // Also keeps all arithmetic on ticks far from its limits.
    const std::int64_t last = std::max(frame.start, frame.end);
    if (av_compare_ts(last - first, tick, kClipSecondsMax + 1, {1, 1}) > 0) return too_long();
    times.starts.push_back(frame.start - first);
    end = std::max(end, last);
  }
  std::sort(times.starts.begin(), times.starts.end());
  times.starts.erase(std::unique(times.starts.begin(), times.starts.end()), times.starts.end());
  // A file may leave out how long its last frame stays: as long as the others do.
  const auto gaps = static_cast<std::int64_t>(times.starts.size()) - 1;
  const std::int64_t usual = gaps > 0 ? std::max<std::int64_t>(1, times.starts.back() / gaps) : 1;
  times.end =
      std::max(end - first, times.starts.back() + (end - first > times.starts.back() ? 1 : usual));
  if (av_compare_ts(times.end, tick, kClipSecondsMax, {1, 1}) > 0) return too_long();
  return times;
}

Rotation turn_of_track(const AVStream& track) {
  const std::uint8_t* const data =
      av_stream_get_side_data(&track, AV_PKT_DATA_DISPLAYMATRIX, nullptr);
  return data == nullptr ? Rotation{} : turn_of(reinterpret_cast<const std::int32_t*>(data));
}

// With square pixels: a wide pixel makes the frame wider, a tall one taller.
gpu::Size upright_size(const AVStream& track, const Rotation& rotation) {
  const AVCodecParameters& coded = *track.codecpar;
  AVRational pixel =
      track.sample_aspect_ratio.num > 0 ? track.sample_aspect_ratio : coded.sample_aspect_ratio;
  const bool sane = pixel.num > 0 && pixel.den > 0 && av_cmp_q(pixel, {8, 1}) <= 0 &&
                    av_cmp_q(pixel, {1, 8}) >= 0;
  if (!sane) pixel = {1, 1};
  const double shape = av_q2d(pixel);
  const auto scaled = [](int px, double by) { return static_cast<int>(std::lround(px * by)); };
  const gpu::Size square{scaled(coded.width, std::max(1.0, shape)),
                         scaled(coded.height, std::max(1.0, 1 / shape))};
  return rotated(square, rotation);
}

using Alpha = Animation::Alpha;

// Whether its first frame has a pixel that is not opaque.
Result<bool> first_lets_through(Animation animation, ClipContainer container) {
  auto decoder = open_animation(std::move(animation), container, {});
  if (!decoder) return decoder.failure();
  const Result<const AVFrame*> first = (*decoder)->next();
  if (!first) return first.failure();
  const Result<gpu::RgbaImage> image = CutoutConverter({}).convert(**first);
  if (!image) return image.failure();
  for (std::size_t i = 3; i < image->pixels.size(); i += 4) {
    if (image->pixels[i] != 255) return true;
  }
  return false;
}

Result<std::shared_ptr<const ClipIndex>> index_animation(const std::filesystem::path& path,
                                                         const ClipFormat& format) {
  Result<Animation> animation = read_animation(path, format.container);
  if (!animation) return animation.failure();
  const Alpha alpha = animation->alpha;
  const gpu::Size size = animation->size;
  auto index = std::make_shared<ClipIndex>();
  index->times = {1, kAnimationTicks, animation->starts, animation->end};
  if (alpha == Alpha::kOfFirst) {
    const Result<bool> through = first_lets_through(std::move(*animation), format.container);
    if (!through) return through.failure();
    index->has_alpha = *through;
  }
  index->has_alpha = index->has_alpha || alpha == Alpha::kAny;
  index->path = path;
  index->container = format.container;
  index->format = format.name;
  index->codec = format.name;
  index->stored = index->upright = size;
  index->key_frames = {KeyFrame{}};
  return std::shared_ptr<const ClipIndex>(std::move(index));
}

Result<std::shared_ptr<const ClipIndex>> make_index(const std::filesystem::path& path) {
  if (Status fits = check_size(path); !fits) return fits.failure();
  Result<ClipFormat> format = check_container(path);
  if (!format) return format.failure();
  if (is_animation(format->container)) return index_animation(path, *format);
  Result<ClipFile> clip = ClipFile::open(path, format->container);
  if (!clip) return clip.failure();
  Result<Scan> found = scan(*clip);
  if (!found) return found.failure();
  const AVStream& track = *clip->track();
  Result<ClipTimes> times = times_of(found->frames, track.time_base);
  if (!times) return times.failure();

  auto index = std::make_shared<ClipIndex>();
  index->path = path;
  index->container = format->container;
  index->format = std::move(format->name);
  index->codec = avcodec_get_name(track.codecpar->codec_id);
  index->stored = {track.codecpar->width, track.codecpar->height};
  index->has_alpha = found->has_alpha || is_coded_with_alpha(track);
  index->rotation = turn_of_track(track);
  index->upright = upright_size(track, index->rotation);
  index->times = std::move(*times);
  index->first_shown = found->frames.front().start;
  for (const Scan::Shown& frame : found->frames) {
    index->first_shown = std::min(index->first_shown, frame.start);
  }
  index->key_frames = std::move(found->key_frames);
  return std::shared_ptr<const ClipIndex>(std::move(index));
}

}  // namespace

Result<std::shared_ptr<const ClipIndex>> index_clip(const std::filesystem::path& path) {
  return contained([&] { return make_index(path); });
}

}  // namespace pytoon::media
