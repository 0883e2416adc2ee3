#include "pipeline/media/clip/matrix_tag.h"

#include <cstring>
#include <utility>

#include "pipeline/media/clip/clip_decoder.h"
#include "pipeline/media/gst/element_failure.h"

namespace pytoon::media {
namespace {

struct FreeMuxer {
  void operator()(AVFormatContext* muxer) const {
    if (muxer->pb != nullptr) {
      std::uint8_t* bytes = nullptr;
      avio_close_dyn_buf(muxer->pb, &bytes);
      av_free(bytes);
    }
    avformat_free_context(muxer);
  }
};
// Writes into memory, as who may open no file must.
using MuxerPtr = std::unique_ptr<AVFormatContext, FreeMuxer>;

// The format of its frames when they don't say their matrix.
Result<std::optional<int>> untagged_format(const std::filesystem::path& clip,
                                           ClipContainer container) {
  ClipIndex only_path;
  only_path.path = clip;
  only_path.container = container;
  Result<std::unique_ptr<ClipDecoder>> decoder = ClipDecoder::open(only_path, nullptr, {});
  if (!decoder) return decoder.failure();
  const Result<const AVFrame*> first = (*decoder)->next();
  if (!first) return first.failure();
  const bool untagged = *first != nullptr && (*first)->colorspace == AVCOL_SPC_UNSPECIFIED;
  return untagged ? std::optional((*first)->format) : std::nullopt;
}

// Of the kind that the clip is already: a Matroska file does not say when frames are decoded, which
// an MP4 has to.
const char* muxer_for(ClipContainer container, AVCodecID codec) {
  if (container == ClipContainer::kMovie) return codec == AV_CODEC_ID_PRORES ? "mov" : "mp4";
  const bool web = codec == AV_CODEC_ID_VP8 || codec == AV_CODEC_ID_VP9 || codec == AV_CODEC_ID_AV1;
  return web ? "webm" : "matroska";
}

// How the frames are to be turned is told beside them.
Status copy_rotation(const AVStream& from, AVStream& to) {
  std::size_t size = 0;
  const std::uint8_t* const told = av_stream_get_side_data(&from, AV_PKT_DATA_DISPLAYMATRIX, &size);
  if (told == nullptr) return ok_status();
  std::uint8_t* const copy = av_stream_new_side_data(&to, AV_PKT_DATA_DISPLAYMATRIX, size);
  if (copy == nullptr) return failure(FailureKind::kOutOfMemory, "no memory for a track");
  std::memcpy(copy, told, size);
  return ok_status();
}

Result<MuxerPtr> begin(const AVStream& from, ClipContainer container, int pixel_format) {
  AVFormatContext* context = nullptr;
  const char* const kind = muxer_for(container, from.codecpar->codec_id);
  int rc = avformat_alloc_output_context2(&context, nullptr, kind, nullptr);
  if (rc < 0) return av_failure(rc, "can't make a clip's writer");
  MuxerPtr muxer(context);
  muxer->flags |= AVFMT_FLAG_BITEXACT;
  AVStream* const track = avformat_new_stream(muxer.get(), nullptr);
  if (track == nullptr || avcodec_parameters_copy(track->codecpar, from.codecpar) < 0) {
    return failure(FailureKind::kOutOfMemory, "no memory for a track");
  }
  track->time_base = from.time_base;
  track->sample_aspect_ratio = from.sample_aspect_ratio;
  track->codecpar->color_space = AVCOL_SPC_SMPTE170M;
  track->codecpar->format = pixel_format;  // VP9 in MP4 has to say it
  constexpr const char* kAlpha = "alpha_mode";
  if (const auto* alpha = av_dict_get(from.metadata, kAlpha, nullptr, 0); alpha != nullptr) {
    av_dict_set(&track->metadata, kAlpha, alpha->value, 0);
  }
  if (Status copied = copy_rotation(from, *track); !copied) return copied.failure();
  rc = avio_open_dyn_buf(&muxer->pb);
  if (rc < 0) return av_failure(rc, "no memory for an MP4");
  Options options;
  options.set("movflags", "+write_colr");
  rc = avformat_write_header(muxer.get(), options.out());
  if (rc < 0) return av_failure(rc, "can't start the clip");
  return muxer;
}

Status copy(ClipFile& from, ClipContainer container, AVFormatContext& to) {
  // Matroska keeps no times of decoding, but FFmpeg wants some that rise: long before any frame.
  std::int64_t decoded = -(std::int64_t{1} << 40U);
  const PacketPtr packet = make_packet();
  for (;;) {
    const Result<bool> more = from.next(packet.get());
    if (!more) return more.failure();
    if (!*more) break;
    packet->stream_index = 0;
    packet->pos = -1;
    av_packet_rescale_ts(packet.get(), from.track()->time_base, to.streams[0]->time_base);
    if (container == ClipContainer::kMatroska) packet->dts = decoded++;
    if (const int rc = av_write_frame(&to, packet.get()); rc < 0) {
      return av_failure(rc, "can't write the clip");
    }
  }
  return av_status(av_write_trailer(&to), "can't write the clip");
}

std::string take_bytes(AVFormatContext& muxer) {
  std::uint8_t* bytes = nullptr;
  const int count = avio_close_dyn_buf(std::exchange(muxer.pb, nullptr), &bytes);
  std::string taken(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
  av_free(bytes);
  return taken;
}

using MaybeBytes = std::optional<std::string>;

Result<MaybeBytes> write_tagged(const std::filesystem::path& clip, ClipContainer container,
                                int pixel_format) {
  Result<ClipFile> from = ClipFile::open(clip, container);
  if (!from) return from.failure();
  Result<MuxerPtr> to = begin(*from->track(), container, pixel_format);
  if (!to) return to.failure();
  if (Status copied = copy(*from, container, **to); !copied) return copied.failure();
  return MaybeBytes(take_bytes(**to));
}

}  // namespace

Result<std::optional<std::string>> tagged_clip(const std::filesystem::path& clip,
                                               UnsaidMatrix matrix) {
  if (matrix == UnsaidMatrix::kBySize) return MaybeBytes();
  return contained([&]() -> Result<MaybeBytes> {
    const Result<ClipFormat> format = check_container(clip);
    if (!format) return format.failure();
    if (is_animation(format->container)) return MaybeBytes();  // it is coded in RGB
    const Result<std::optional<int>> untagged = untagged_format(clip, format->container);
    if (!untagged) return untagged.failure();
    return *untagged ? write_tagged(clip, format->container, **untagged) : MaybeBytes();
  });
}

}  // namespace pytoon::media
