#include "pipeline/media/gst/segment_reader.h"

#include <algorithm>
#include <optional>

namespace pytoon::media {
namespace {

// How far decoding runs ahead: encoders are told to reorder by one frame at most, see
// encoder_settings.cpp.
constexpr std::int64_t kDecodedAheadFrames = 1;

// A time in whole frames, or nothing when it lies between frames.
std::optional<std::int64_t> whole_frames(std::int64_t time, AVRational unit, int fps) {
  if (time == AV_NOPTS_VALUE) return std::nullopt;
  const std::int64_t frame_units = unit.den;
  const std::int64_t units = time * unit.num * fps;
  if (units % frame_units != 0) return std::nullopt;
  return units / frame_units;
}

}  // namespace

SegmentReader::SegmentReader(InputPtr input, ParameterSets sets, const VideoFormat& format)
    : input_(std::move(input)),
      sets_(std::move(sets)),
      format_(format),
      seen_(static_cast<std::size_t>(std::max<std::int64_t>(input_->streams[0]->nb_frames, 0))) {}

Result<std::unique_ptr<SegmentReader>> SegmentReader::open(const std::filesystem::path& path,
                                                           const VideoFormat& format) {
  Result<InputPtr> input = open_mp4(path);
  if (!input) return input.failure();
  const bool one_track = (*input)->nb_streams == 1;
  const AVCodecParameters* video = one_track ? (*input)->streams[0]->codecpar : nullptr;
  if (video == nullptr || video->codec_id != AV_CODEC_ID_H264) {
    return failure(FailureKind::kMedia, path.string() + " is not a segment with one H.264 track");
  }
  if (video->width != format.size.width || video->height != format.size.height) {
    return failure(FailureKind::kMedia, path.string() + " is not of the video's size");
  }
  Result<ParameterSets> sets =
      parse_avcc({video->extradata, static_cast<std::size_t>(std::max(video->extradata_size, 0))});
  if (!sets) {
    return failure(FailureKind::kMedia, path.string() + ": " + sets.failure().detail);
  }
  return std::make_unique<SegmentReader>(std::move(*input), std::move(*sets), format);
}

Failure SegmentReader::damaged(const std::string& how) const {
  return failure(FailureKind::kMedia, std::string(input_->url) + " is damaged: " + how);
}

Result<SegmentPacket> SegmentReader::next() {
  PacketPtr packet = make_packet();
  const int rc = av_read_frame(input_.get(), packet.get());
  if (rc == AVERROR_EOF) {
    if (read_ == 0 || read_ != frames()) {
      return damaged("it ends after " + std::to_string(read_) + " of " + std::to_string(frames()) +
                     " frames");
    }
    return SegmentPacket{};
  }
  if (rc < 0) return av_failure(rc, std::string("can't read ") + input_->url);
  return place(std::move(packet));
}

Result<SegmentPacket> SegmentReader::place(PacketPtr packet) {
  const AVRational unit = input_->streams[0]->time_base;
  const auto show_at = whole_frames(packet->pts, unit, format_.frames_per_second);
  if (!show_at) return damaged("a frame lies between frame times");
  if (*show_at < 0 || *show_at >= frames() || seen_[static_cast<std::size_t>(*show_at)]) {
    return damaged("frame times overlap or have gaps");
  }
  if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) return damaged("a frame is cut off");
  if (read_ == 0 && (packet->flags & AV_PKT_FLAG_KEY) == 0) {
    return damaged("it does not start with a key frame");
  }
  seen_[static_cast<std::size_t>(*show_at)] = true;
  const std::int64_t decode_at = read_ - kDecodedAheadFrames;
  ++read_;
  return SegmentPacket{std::move(packet), *show_at, decode_at};
}

}  // namespace pytoon::media
