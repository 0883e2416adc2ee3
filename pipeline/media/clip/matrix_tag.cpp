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

// Matroska says only when frames are shown; an MP4 wants to know when they are decoded, which for
// codecs that store them in that order is the same.
bool can_be_written_anew(const ClipFile& file, ClipContainer container) {
  const AVCodecID codec = file.track()->codecpar->codec_id;
  return container == ClipContainer::kMovie ||
         (codec != AV_CODEC_ID_H264 && codec != AV_CODEC_ID_HEVC);
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

Result<OutputPtr> begin(const AVStream& from, int pixel_format, const std::filesystem::path& path) {
  AVFormatContext* context = nullptr;
  const char* const muxer = from.codecpar->codec_id == AV_CODEC_ID_PRORES ? "mov" : "mp4";
  int rc = avformat_alloc_output_context2(&context, nullptr, muxer, file_url(path).c_str());
  if (rc < 0) return av_failure(rc, "can't make an MP4 writer");
  OutputPtr output(context);
  output->flags |= AVFMT_FLAG_BITEXACT;
  AVStream* const track = avformat_new_stream(output.get(), nullptr);
  if (track == nullptr || avcodec_parameters_copy(track->codecpar, from.codecpar) < 0) {
    return failure(FailureKind::kOutOfMemory, "no memory for a track");
  }
  track->time_base = from.time_base;
  track->sample_aspect_ratio = from.sample_aspect_ratio;
  track->codecpar->color_space = AVCOL_SPC_SMPTE170M;
  track->codecpar->format = pixel_format;  // Matroska does not say it, and VP9 in MP4 has to
  if (Status copied = copy_rotation(from, *track); !copied) return copied.failure();
  rc = avio_open(&output->pb, output->url, AVIO_FLAG_WRITE);
  if (rc < 0) return av_failure(rc, "can't create " + path.string());
  Options options;
  options.set("movflags", "+faststart+write_colr");
  rc = avformat_write_header(output.get(), options.out());
  if (rc < 0) return av_failure(rc, "can't start the MP4");
  return output;
}

Status copy(ClipFile& from, AVFormatContext& to) {
  const PacketPtr packet = make_packet();
  for (;;) {
    const Result<bool> more = from.next(packet.get());
    if (!more) return more.failure();
    if (!*more) break;
    packet->stream_index = 0;
    packet->pos = -1;
    av_packet_rescale_ts(packet.get(), from.track()->time_base, to.streams[0]->time_base);
    if (const int rc = av_write_frame(&to, packet.get()); rc < 0) {
      return av_failure(rc, "can't write the MP4");
    }
  }
  int rc = av_write_trailer(&to);
  if (rc >= 0) rc = avio_closep(&to.pb);
  return rc < 0 ? Status(av_failure(rc, "can't write the MP4")) : ok_status();
}

Status write_tagged(const std::filesystem::path& clip, ClipContainer container, int pixel_format) {
  Result<ClipFile> from = ClipFile::open(clip, container);
  if (!from) return from.failure();
  if (!can_be_written_anew(*from, container)) return ok_status();
  const Publication file(clip);
  Result<OutputPtr> to = begin(*from->track(), pixel_format, file.temporary());
  if (!to) return to.failure();
  if (Status copied = copy(*from, **to); !copied) return copied;
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
