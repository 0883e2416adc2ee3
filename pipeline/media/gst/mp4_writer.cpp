#include "pipeline/media/gst/mp4_writer.h"

#include <cstring>
#include <numeric>

namespace pytoon::media {
namespace {

// Whole frames and whole audio samples are whole numbers of this many ticks a second.
constexpr int kAudioRate = 48000;
constexpr int kTicksPerFrame = 512;
constexpr int kAacFrameSamples = 1024;

bool set_extradata(AVCodecParameters& parameters, const Bytes& bytes) {
  parameters.extradata =
      static_cast<std::uint8_t*>(av_mallocz(bytes.size() + AV_INPUT_BUFFER_PADDING_SIZE));
  if (parameters.extradata == nullptr) return false;
  std::memcpy(parameters.extradata, bytes.data(), bytes.size());
  parameters.extradata_size = static_cast<int>(bytes.size());
  return true;
}

}  // namespace

Result<std::unique_ptr<Mp4Writer>> Mp4Writer::create(const std::filesystem::path& path) {
  AVFormatContext* context = nullptr;
  int rc = avformat_alloc_output_context2(&context, nullptr, "mp4", file_url(path).c_str());
  if (rc < 0) return av_failure(rc, "can't make an MP4 writer");
  OutputPtr output(context);
  output->flags |= AVFMT_FLAG_BITEXACT;
  rc = avio_open(&output->pb, output->url, AVIO_FLAG_WRITE);
  if (rc < 0) return av_failure(rc, "can't create " + path.string());
  return std::make_unique<Mp4Writer>(std::move(output));
}

Result<AVStream*> Mp4Writer::add_stream(AVMediaType type, const Bytes& config) {
  CHECK(!begun_, "a track was added after the first sample");
  AVStream* stream = avformat_new_stream(output_.get(), nullptr);
  if (stream == nullptr || !set_extradata(*stream->codecpar, config)) {
    return failure(FailureKind::kOutOfMemory, "no memory for a track");
  }
  stream->codecpar->codec_type = type;
  return stream;
}

Result<int> Mp4Writer::add_video(const VideoFormat& format, const ParameterSets& sets) {
  const Result<AVStream*> added = add_stream(AVMEDIA_TYPE_VIDEO, make_avcc(sets));
  if (!added) return added.failure();
  AVStream* stream = *added;
  stream->time_base = {1, format.frames_per_second * kTicksPerFrame};
  stream->avg_frame_rate = {format.frames_per_second, 1};
  AVCodecParameters& parameters = *stream->codecpar;
  parameters.codec_id = AV_CODEC_ID_H264;
  parameters.width = format.size.width;
  parameters.height = format.size.height;
  parameters.color_range = AVCOL_RANGE_MPEG;
  parameters.color_primaries = AVCOL_PRI_BT709;
  parameters.color_trc = AVCOL_TRC_BT709;
  parameters.color_space = AVCOL_SPC_BT709;
  parameters.sample_aspect_ratio = stream->sample_aspect_ratio = {1, 1};
  tracks_.push_back({.tick = {1, format.frames_per_second}});
  return stream->index;
}

Result<int> Mp4Writer::add_audio(const AacFormat& format) {
  const Result<AVStream*> added = add_stream(AVMEDIA_TYPE_AUDIO, format.config);
  if (!added) return added.failure();
  AVStream* stream = *added;
  stream->time_base = {1, format.sample_rate};
  AVCodecParameters& parameters = *stream->codecpar;
  parameters.codec_id = AV_CODEC_ID_AAC;
  parameters.profile = FF_PROFILE_AAC_LOW;
  parameters.sample_rate = format.sample_rate;
  parameters.frame_size = kAacFrameSamples;
  parameters.bit_rate = format.bitrate;
  av_channel_layout_default(&parameters.ch_layout, format.channels);
  tracks_.push_back({.tick = {1, format.sample_rate}});
  return stream->index;
}

Status Mp4Writer::begin() {
  int movie_rate = kAudioRate;
  for (const Track& track : tracks_) movie_rate = std::lcm(movie_rate, track.tick.den);
  Options options;
  options.set("movflags", "+faststart+negative_cts_offsets");
  options.set("use_editlist", "0");
  options.set("movie_timescale", std::to_string(movie_rate));
  const int rc = avformat_write_header(output_.get(), options.out());
  if (rc < 0) return av_failure(rc, "can't start the MP4");
  begun_ = true;
  return ok_status();
}

Status Mp4Writer::write(int number, const Mp4Sample& sample) {
  Track& track = tracks_.at(static_cast<std::size_t>(number));
  if (sample.decode_at <= track.decoded || sample.show_at < sample.decode_at) {
    return failure(FailureKind::kMedia, "a sample's times go backwards");
  }
  // The muxer takes the first sample's showing for the track's beginning.
  const bool first = track.decoded == std::numeric_limits<std::int64_t>::min();
  if (sample.show_at < 0 || (first && sample.show_at != 0)) {
    return failure(FailureKind::kMedia, "a track does not begin at 0");
  }
  track.decoded = sample.decode_at;
  if (!begun_) {
    if (Status started = begin(); !started) return started;
  }
  // The muxer reads the bytes at once and keeps none of them, so the packet only borrows them.
  packet_->data = const_cast<std::uint8_t*>(sample.bytes.data());
  packet_->size = static_cast<int>(sample.bytes.size());
  packet_->pts = sample.show_at;
  packet_->dts = sample.decode_at;
  packet_->duration = sample.duration;
  packet_->flags = sample.key ? AV_PKT_FLAG_KEY : 0;
  packet_->stream_index = number;
  av_packet_rescale_ts(packet_.get(), track.tick, stream(number)->time_base);
  const int rc = av_write_frame(output_.get(), packet_.get());
  av_packet_unref(packet_.get());
  if (rc < 0) return av_failure(rc, "can't write the MP4");
  return ok_status();
}

Status Mp4Writer::finish() {
  if (!begun_) return failure(FailureKind::kMedia, "there was nothing to write into the MP4");
  int rc = av_write_trailer(output_.get());
  if (rc >= 0) rc = output_->pb->error;
  const int closed = avio_closep(&output_->pb);
  if (rc >= 0) rc = closed;
  if (rc < 0) return av_failure(rc, "can't finish the MP4");
  return ok_status();
}

std::int64_t Mp4Writer::ticks(int track, std::int64_t nanoseconds) const {
  return av_rescale_q(nanoseconds, {1, 1'000'000'000},
                      tracks_.at(static_cast<std::size_t>(track)).tick);
}

}  // namespace pytoon::media
