#include "pipeline/media/clip/matrix_tag.h"

#include <cstring>
#include <optional>

#include "pipeline/media/clip/clip_decoder.h"
#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/gst/publication.h"

namespace pytoon::media {
namespace {

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

Result<OutputPtr> begin(const AVStream& from, ClipContainer container, int pixel_format,
                        const std::filesystem::path& path) {
  AVFormatContext* context = nullptr;
  const char* const muxer = muxer_for(container, from.codecpar->codec_id);
  int rc = avformat_alloc_output_context2(&context, nullptr, muxer, file_url(path).c_str());
  if (rc < 0) return av_failure(rc, "can't make a clip's writer");
  OutputPtr output(context);
  output->flags |= AVFMT_FLAG_BITEXACT;
  AVStream* const track = avformat_new_stream(output.get(), nullptr);
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
  rc = avio_open(&output->pb, output->url, AVIO_FLAG_WRITE);
  if (rc < 0) return av_failure(rc, "can't create " + path.string());
  Options options;
  options.set("movflags", "+faststart+write_colr");
  rc = avformat_write_header(output.get(), options.out());
  if (rc < 0) return av_failure(rc, "can't start the clip");
  return output;
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
  int rc = av_write_trailer(&to);
  if (rc >= 0) rc = avio_closep(&to.pb);
  return rc < 0 ? Status(av_failure(rc, "can't write the clip")) : ok_status();
}

Status write_tagged(const std::filesystem::path& clip, ClipContainer container, int pixel_format) {
  Result<ClipFile> from = ClipFile::open(clip, container);
  if (!from) return from.failure();
  const Publication file(clip);
  Result<OutputPtr> to = begin(*from->track(), container, pixel_format, file.temporary());
  if (!to) return to.failure();
  if (Status copied = copy(*from, container, **to); !copied) return copied;
  return file.publish();
}

}  // namespace

Status tag_matrix(const std::filesystem::path& clip, UnsaidMatrix matrix) {
  if (matrix == UnsaidMatrix::kBySize) return ok_status();
  return contained([&]() -> Status {
    const Result<ClipFormat> format = check_container(clip);
    if (!format) return format.failure();
    if (is_animation(format->container)) return ok_status();  // it is coded in RGB
    const Result<std::optional<int>> untagged = untagged_format(clip, format->container);
    if (!untagged) return untagged.failure();
    return *untagged ? write_tagged(clip, format->container, **untagged) : ok_status();
  });
}

}  // namespace pytoon::media
