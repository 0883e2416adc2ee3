#include "pipeline/media/gst/video_reader.h"

#include <algorithm>
#include <string>

namespace pytoon::media {
namespace {

constexpr int kThreads = 2;

Result<CodecPtr> open_decoder(const AVStream& track, const AVCodec* decoder) {
  CodecPtr codec(avcodec_alloc_context3(decoder));
  if (!codec || avcodec_parameters_to_context(codec.get(), track.codecpar) < 0) {
    return failure(FailureKind::kOutOfMemory, "no memory for a decoder");
  }
  codec->pkt_timebase = track.time_base;
  codec->err_recognition = AV_EF_EXPLODE | AV_EF_CRCCHECK | AV_EF_BITSTREAM | AV_EF_BUFFER;
  codec->thread_count = kThreads;
  if (const int rc = avcodec_open2(codec.get(), decoder, nullptr); rc < 0) {
    return av_failure(rc, "can't open the decoder");
  }
  return codec;
}

}  // namespace

VideoReader::VideoReader(InputPtr input, CodecPtr codec, int track)
    : input_(std::move(input)), codec_(std::move(codec)), track_(track) {}

Result<std::unique_ptr<VideoReader>> VideoReader::open(const std::filesystem::path& path) {
  Result<InputPtr> input = open_mp4(path);
  if (!input) return input.failure();
  int rc = avformat_find_stream_info(input->get(), nullptr);
  if (rc < 0) return av_failure(rc, "can't read " + path.string());
  const AVCodec* decoder = nullptr;
  rc = av_find_best_stream(input->get(), AVMEDIA_TYPE_VIDEO, -1, -1, &decoder, 0);
  if (rc < 0) return av_failure(rc, "there is no video in " + path.string());
  Result<CodecPtr> codec = open_decoder(*(*input)->streams[rc], decoder);
  if (!codec) return codec.failure();
  return std::make_unique<VideoReader>(std::move(*input), std::move(*codec), rc);
}

std::int64_t VideoReader::time_of(std::int64_t index) const {
  const std::int64_t start = track().start_time == AV_NOPTS_VALUE ? 0 : track().start_time;
  return start + av_rescale_q(index, av_inv_q(track().avg_frame_rate), track().time_base);
}

Status VideoReader::seek_before(std::int64_t index) {
  if (index == 0 || track().avg_frame_rate.num <= 0) return ok_status();
  from_start_ = false;
  wanted_from_ = time_of(index);
  const int rc = av_seek_frame(input_.get(), track_, *wanted_from_, AVSEEK_FLAG_BACKWARD);
  if (rc < 0) return av_failure(rc, std::string("can't seek in ") + input_->url);
  return ok_status();
}

Failure VideoReader::broken(int error) const {
  return av_failure(
      error, std::string(input_->url) + " can't be decoded after frame " + std::to_string(frames_));
}

// Gives the decoder one packet, or the end.
Status VideoReader::feed() {
  int rc = av_read_frame(input_.get(), packet_.get());
  while (rc >= 0 && packet_->stream_index != track_) {
    av_packet_unref(packet_.get());
    rc = av_read_frame(input_.get(), packet_.get());
  }
  if (rc < 0 && rc != AVERROR_EOF) return broken(rc);
  const bool ended = rc == AVERROR_EOF;
  const bool short_of_packets = from_start_ && packets_ < track().nb_frames;
  if ((ended && short_of_packets) || (!ended && (packet_->flags & AV_PKT_FLAG_CORRUPT) != 0)) {
    return failure(FailureKind::kMedia, std::string(input_->url) + " is cut off after " +
                                            std::to_string(packets_) + " frames");
  }
  packets_ += ended ? 0 : 1;
  const bool wanted = ended || !wanted_from_ || packet_->pts >= *wanted_from_;
  codec_->skip_frame = wanted ? AVDISCARD_DEFAULT : AVDISCARD_NONREF;
  rc = avcodec_send_packet(codec_.get(), ended ? nullptr : packet_.get());
  av_packet_unref(packet_.get());
  if (rc < 0) return broken(rc);
  return ok_status();
}

Result<const AVFrame*> VideoReader::next() {
  for (;;) {
    const int rc = avcodec_receive_frame(codec_.get(), frame_.get());
    if (rc == AVERROR_EOF) return static_cast<const AVFrame*>(nullptr);
    if (rc >= 0) {
      if (frame_->decode_error_flags != 0) return broken(AVERROR_INVALIDDATA);
      ++frames_;
      return static_cast<const AVFrame*>(frame_.get());
    }
    if (rc != AVERROR(EAGAIN)) return broken(rc);
    if (Status fed = feed(); !fed) return fed.failure();
  }
}

}  // namespace pytoon::media
