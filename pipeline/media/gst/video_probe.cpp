#include "pipeline/media/video_probe.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "base/files.h"
#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/gst/mp4_boxes.h"
#include "pipeline/media/gst/video_reader.h"

namespace pytoon::media {
namespace {

std::string or_unknown(const char* name) { return name == nullptr ? "unknown" : name; }

// One word when matrix, primaries and transfer agree, else all three.
std::string color_space(const AVFrame& frame) {
  const std::string matrix = or_unknown(av_color_space_name(frame.colorspace));
  const std::string primaries = or_unknown(av_color_primaries_name(frame.color_primaries));
  const std::string transfer = or_unknown(av_color_transfer_name(frame.color_trc));
  if (matrix == primaries && primaries == transfer) return matrix;
  return matrix + "/" + primaries + "/" + transfer;
}

void describe_file(const VideoReader& reader, VideoFacts& facts) {
  facts.codec = avcodec_get_name(reader.codec().codec_id);
  facts.rate_num = reader.track().avg_frame_rate.num;
  facts.rate_den = reader.track().avg_frame_rate.den;
  facts.duration_seconds = static_cast<double>(reader.file().duration) / AV_TIME_BASE;
  for (unsigned i = 0; i < reader.file().nb_streams; ++i) {
    const AVCodecParameters& track = *reader.file().streams[i]->codecpar;
    facts.has_audio = facts.has_audio || track.codec_type == AVMEDIA_TYPE_AUDIO;
  }
}

void describe_frame(const VideoReader& reader, const AVFrame& frame, VideoFacts& facts) {
  facts.profile = or_unknown(avcodec_profile_name(reader.codec().codec_id, reader.codec().profile));
  facts.pixel_format = or_unknown(av_get_pix_fmt_name(static_cast<AVPixelFormat>(frame.format)));
  facts.color_space = color_space(frame);
  facts.size = {frame.width, frame.height};
}

Result<VideoFacts> probe(const std::filesystem::path& path) {
  auto reader = VideoReader::open(path);
  if (!reader) return reader.failure();
  VideoFacts facts;
  describe_file(**reader, facts);
  for (;;) {
    const Result<const AVFrame*> frame = (*reader)->next();
    if (!frame) return frame.failure();
    if (*frame == nullptr) break;
    if (facts.frames++ == 0) describe_frame(**reader, **frame, facts);
  }
  if (facts.frames == 0) return failure(FailureKind::kMedia, path.string() + " has no frames");
  const Result<bool> first = moov_comes_first(path);
  if (!first) return first.failure();
  facts.moov_before_mdat = *first;
  std::error_code error;
  facts.bytes = static_cast<std::int64_t>(std::filesystem::file_size(path, error));
  if (error) return errno_failure(error.value(), "can't read " + path.string());
  return facts;
}

// Every product in full precision and every colour sample at its place: BT.709 limited range with
// left-sited chroma in (gpu/image.h), RGB of full range out.
Result<ScalerPtr> make_converter(const AVFrame& frame) {
  constexpr int kOne = 1 << 16;
  ScalerPtr scaler(sws_alloc_context());
  if (!scaler) return failure(FailureKind::kOutOfMemory, "no memory for a colour conversion");
  const std::pair<const char*, int> options[] = {
      {"srcw", frame.width},
      {"srch", frame.height},
      {"dstw", frame.width},
      {"dsth", frame.height},
      {"src_format", frame.format},
      {"dst_format", AV_PIX_FMT_RGBA},
      {"src_h_chr_pos", 0},
      {"src_v_chr_pos", 128},
      {"sws_flags",
       SWS_BICUBIC | SWS_ACCURATE_RND | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP | SWS_BITEXACT}};
  for (const auto& [name, value] : options) av_opt_set_int(scaler.get(), name, value, 0);
  const int* bt709 = sws_getCoefficients(SWS_CS_ITU709);
  const int full = frame.color_range == AVCOL_RANGE_JPEG ? 1 : 0;
  const int set = sws_setColorspaceDetails(scaler.get(), bt709, full, bt709, 1, 0, kOne, kOne);
  const int rc = sws_init_context(scaler.get(), nullptr, nullptr);
  if (rc < 0) return av_failure(rc, "can't convert the frame's colours");
  if (set < 0) return failure(FailureKind::kMedia, "can't convert the frame's colours");
  return scaler;
}

Result<gpu::RgbaImage> to_rgba(const AVFrame& frame) {
  const Result<ScalerPtr> converter = make_converter(frame);
  if (!converter) return converter.failure();
  gpu::RgbaImage image({frame.width, frame.height}, {0, 0, 0, 255});
  std::uint8_t* rows[] = {image.pixels.data(), nullptr, nullptr, nullptr};
  const int pitch[] = {frame.width * 4, 0, 0, 0};
  const int rc =
      sws_scale(converter->get(), frame.data, frame.linesize, 0, frame.height, rows, pitch);
  if (rc < 0) return av_failure(rc, "can't convert the frame's colours");
  return image;
}

Result<gpu::RgbaImage> decode(const std::filesystem::path& path, std::int64_t index) {
  if (index < 0) return failure(FailureKind::kInvalid, "a frame's index is not negative");
  auto reader = VideoReader::open(path);
  if (!reader) return reader.failure();
  const std::int64_t frames = (*reader)->track().nb_frames;  // 0: the file does not say
  const std::int64_t found = frames > 0 ? std::min(index, frames - 1) : index;
  if (Status moved = (*reader)->seek_before(found); !moved) return moved.failure();
  const std::int64_t wanted = (*reader)->time_of(found);
  const FramePtr last = make_frame();
  for (;;) {
    const Result<const AVFrame*> frame = (*reader)->next();
    if (!frame) return frame.failure();
    if (*frame == nullptr) break;
    av_frame_unref(last.get());
    if (av_frame_ref(last.get(), *frame) < 0)
      return failure(FailureKind::kOutOfMemory, "no memory");
    if (last->best_effort_timestamp >= wanted) break;
  }
  if (last->width == 0) return failure(FailureKind::kMedia, path.string() + " has no frames");
  return to_rgba(*last);
}

}  // namespace

Result<VideoFacts> probe_video(const std::filesystem::path& path) {
  return contained([&] { return probe(path); });
}

Result<gpu::RgbaImage> decode_frame(const std::filesystem::path& path, std::int64_t index) {
  return contained([&] { return decode(path, index); });
}

Result<gpu::RgbaImage> image_of(const gpu::HostNv12View& frame) {
  return contained([&]() -> Result<gpu::RgbaImage> {
    const FramePtr borrowed = make_frame();
    borrowed->format = AV_PIX_FMT_NV12;
    borrowed->width = frame.size.width;
    borrowed->height = frame.size.height;
    borrowed->color_range = AVCOL_RANGE_MPEG;
    borrowed->data[0] = frame.luma;
    borrowed->data[1] = frame.chroma;
    borrowed->linesize[0] = static_cast<int>(frame.luma_pitch_bytes);
    borrowed->linesize[1] = static_cast<int>(frame.chroma_pitch_bytes);
    return to_rgba(*borrowed);
  });
}

}  // namespace pytoon::media
