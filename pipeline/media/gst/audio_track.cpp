#include "pipeline/media/gst/audio_track.h"

#include <string>

namespace pytoon::media {
namespace {

// The next packet; null at the end.
Result<PacketPtr> read_packet(AVFormatContext& input) {
  PacketPtr packet = make_packet();
  const int rc = av_read_frame(&input, packet.get());
  if (rc == AVERROR_EOF) return PacketPtr();
  if (rc < 0) return av_failure(rc, std::string("can't read ") + input.url);
  return packet;
}

}  // namespace

Result<std::unique_ptr<AudioTrack>> AudioTrack::open(const std::filesystem::path& path) {
  Result<InputPtr> input = open_mp4(path);
  if (!input) return input.failure();
  const bool one_track = (*input)->nb_streams == 1;
  const AVStream* stream = one_track ? (*input)->streams[0] : nullptr;
  const AVCodecParameters* audio = stream == nullptr ? nullptr : stream->codecpar;
  if (audio == nullptr || audio->codec_id != AV_CODEC_ID_AAC || audio->extradata_size <= 0 ||
      stream->time_base.num != 1 || stream->time_base.den != audio->sample_rate) {
    return failure(FailureKind::kMedia, path.string() + " is no audio of ours");
  }
  Result<PacketPtr> first = read_packet(**input);
  std::int64_t left_out = 0;
  while (first && *first && (*first)->pts != AV_NOPTS_VALUE && (*first)->pts < 0) {
    first = read_packet(**input);
    ++left_out;
  }
  if (!first) return first.failure();
  if (!*first || (*first)->pts != 0) {
    return failure(FailureKind::kMedia, path.string() + " is damaged: it does not begin");
  }
  AacFormat format;
  format.sample_rate = audio->sample_rate;
  format.channels = audio->ch_layout.nb_channels;
  format.bitrate = static_cast<int>(audio->bit_rate);
  format.config = Bytes(audio->extradata, audio->extradata + audio->extradata_size);
  return std::make_unique<AudioTrack>(std::move(*input), std::move(format), std::move(*first),
                                      left_out);
}

Failure AudioTrack::damaged(const std::string& how) const {
  return failure(FailureKind::kMedia, std::string(input_->url) + " is damaged: " + how);
}

Result<PacketPtr> AudioTrack::next() {
  if (!next_) {
    if (read_ != input_->streams[0]->nb_frames) return damaged("packets are missing");
    return PacketPtr();
  }
  PacketPtr packet = std::move(next_);
  if ((packet->flags & AV_PKT_FLAG_CORRUPT) != 0) return damaged("a packet is cut off");
  if (packet->pts != samples_ || packet->duration <= 0) return damaged("its times have gaps");
  samples_ += packet->duration;
  ++read_;
  Result<PacketPtr> following = read_packet(*input_);
  if (!following) return following.failure();
  next_ = std::move(*following);
  return packet;
}

}  // namespace pytoon::media
