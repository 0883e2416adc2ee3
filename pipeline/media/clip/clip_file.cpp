#include "pipeline/media/clip/clip_file.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "pipeline/media/clip/clip_index.h"

extern "C" {
#include <libavutil/dovi_meta.h>
}

namespace pytoon::media {
namespace {

constexpr AVCodecID kCodecs[] = {AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_VP8,
                                 AV_CODEC_ID_VP9,  AV_CODEC_ID_AV1,  AV_CODEC_ID_PRORES};

Result<InputPtr> open_demuxer(const std::filesystem::path& path, ClipContainer container) {
  Options options;
  options.set("codec_whitelist", "h264,hevc,vp8,vp9,libvpx,libvpx-vp9,libdav1d,prores");
  const bool movie = container == ClipContainer::kMovie;
  if (movie) {
    options.set("enable_drefs", "0");
    options.set("use_absolute_path", "0");
  }
  OpenedInput opened = open_input(path, movie ? "mp4" : "matroska", options);
  const int rc = opened.answer;
  if (rc == AVERROR_INVALIDDATA || rc == AVERROR_EOF) return damaged_clip("in its index");
  if (rc < 0) return av_failure(rc, "can't open the clip");
  return std::move(opened.input);
}

bool is_cover_image(const AVStream& track) {
  return (track.disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
}

// The first track with moving images, as players choose it; -1: none.
int video_track(const AVFormatContext& file) {
  for (unsigned i = 0; i < file.nb_streams; ++i) {
    const AVStream& track = *file.streams[i];
    const bool moving = track.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    if (moving && !is_cover_image(track)) return static_cast<int>(i);
  }
  return -1;
}

Failure without_base() {
  return failure(FailureKind::kInvalid,
                 "the clip is Dolby Vision alone (profile 5), whose colours would come out wrong: "
                 "export it as HLG, HDR10 or SDR");
}

// Dolby Vision's profile 5 has no layer that others can read.
bool is_dolby_alone(const AVStream& track) {
  const std::uint8_t* const data = av_stream_get_side_data(&track, AV_PKT_DATA_DOVI_CONF, nullptr);
  constexpr int kNoBaseLayer = 5;
  return data != nullptr &&
         reinterpret_cast<const AVDOVIDecoderConfigurationRecord*>(data)->dv_profile ==
             kNoBaseLayer;
}

Status check_track(const AVStream& track) {
  const AVCodecParameters& coded = *track.codecpar;
  if (std::find(std::begin(kCodecs), std::end(kCodecs), coded.codec_id) == std::end(kCodecs)) {
    return failure(FailureKind::kUnsupportedType,
                   std::string("the clip's codec is ") + avcodec_get_name(coded.codec_id) +
                       "; H.264 (AVC), H.265 (HEVC), VP8, VP9, AV1 and ProRes are taken");
  }
  if (is_dolby_alone(track)) return without_base();
  if (coded.width <= 0 || coded.height <= 0) return damaged_clip("in its index");
  const int longest = std::max(coded.width, coded.height);
  const int shortest = std::min(coded.width, coded.height);
  if (longest > kClipEdgeMaxPx || shortest < kClipEdgeMinPx) {
    return failure(FailureKind::kInvalid, "the clip is " + std::to_string(coded.width) + "x" +
                                              std::to_string(coded.height) +
                                              " px; an edge may have " +
                                              std::to_string(kClipEdgeMinPx) + " to " +
                                              std::to_string(kClipEdgeMaxPx) + " px");
  }
  return ok_status();
}

}  // namespace

bool is_coded_with_alpha(const AVStream& track) {
  const AVCodecID codec = track.codecpar->codec_id;
  if (codec != AV_CODEC_ID_VP8 && codec != AV_CODEC_ID_VP9) return false;
  const AVDictionaryEntry* const said = av_dict_get(track.metadata, "alpha_mode", nullptr, 0);
  return said != nullptr && said->value == std::string_view("1");
}

Failure damaged_clip(const std::string& where) {
  return failure(FailureKind::kMalformed,
                 "the clip is cut off or damaged " + where + ": export it again");
}

Result<ClipFile> ClipFile::open(const std::filesystem::path& path, ClipContainer container) {
  Result<InputPtr> input = open_demuxer(path, container);
  if (!input) return input.failure();
  AVFormatContext& file = **input;
  const int chosen = video_track(file);
  if (chosen < 0) {
    return failure(FailureKind::kInvalid, "the clip has no video track, only audio or data");
  }
  for (unsigned i = 0; i < file.nb_streams; ++i) {
    if (static_cast<int>(i) != chosen) file.streams[i]->discard = AVDISCARD_ALL;
  }
  if (Status good = check_track(*file.streams[chosen]); !good) return good.failure();
  return ClipFile(std::move(*input), chosen, container);
}

Result<bool> ClipFile::next(AVPacket* packet) {
  for (;;) {
    av_packet_unref(packet);
    const int rc = read_answer(*input_, av_read_frame(input_.get(), packet));
    if (rc == AVERROR_EOF) return false;
    if (rc == AVERROR_INVALIDDATA) return damaged_clip("in its data");
    if (rc < 0) return av_failure(rc, "can't read the clip");
    if (packet->stream_index != track_) continue;
    if (container_ == ClipContainer::kMatroska) packet->dts = packet->pts;
    const bool damaged = (packet->flags & AV_PKT_FLAG_CORRUPT) != 0 ||
                         packet->pts == AV_NOPTS_VALUE || packet->dts == AV_NOPTS_VALUE;
    if (damaged) return damaged_clip("in its data");
    return true;
  }
}

Status ClipFile::seek(std::int64_t decoded) {
  const int rc =
      read_answer(*input_, av_seek_frame(input_.get(), track_, decoded, AVSEEK_FLAG_BACKWARD));
  if (rc < 0) return av_failure(rc, "can't move within the clip");
  return ok_status();
}

}  // namespace pytoon::media
