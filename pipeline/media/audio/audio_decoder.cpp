#include "pipeline/media/audio/audio_decoder.h"

#include <array>
#include <string>
#include <string_view>

#include "pipeline/media/clip/movie_boxes.h"

namespace pytoon::media {
namespace {

constexpr char kDecoders[] =
    "aac,alac,flac,mp3,mp3float,opus,vorbis,pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,"
    "pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,pcm_f32le,pcm_f32be,pcm_f64le,pcm_f64be";

Failure unsupported(const std::string& why) { return failure(FailureKind::kUnsupportedType, why); }

Failure broken(int error, const std::string& what) {
  Failure fault = av_failure(error, what);
  if (fault.kind == FailureKind::kMedia) fault.kind = FailureKind::kMalformed;
  return fault;
}

Result<InputPtr> open_audio(const std::filesystem::path& path, const AudioFormat& format) {
  Options options;
  options.set("codec_whitelist", kDecoders);
  options.set("max_streams", "32");
  OpenedInput opened = open_input(path, format.demuxer, options);
  if (opened.answer < 0) return broken(opened.answer, "the file can't be read as " + format.name);
  InputPtr input = std::move(opened.input);
  const int found = read_answer(*input, avformat_find_stream_info(input.get(), nullptr));
  if (found < 0) return broken(found, "the file can't be read as " + format.name);
  return input;
}

bool is_protected(const AVStream& stream) {
  constexpr std::array kSampleEntries{MKTAG('d', 'r', 'm', 's'), MKTAG('e', 'n', 'c', 'a'),
                                      MKTAG('a', 'a', 'v', 'd')};
  for (const auto entry : kSampleEntries) {
    if (stream.codecpar->codec_tag == static_cast<std::uint32_t>(entry)) return true;
  }
  return av_stream_get_side_data(&stream, AV_PKT_DATA_ENCRYPTION_INIT_INFO, nullptr) != nullptr;
}

Result<int> audio_stream(const AVFormatContext& input) {
  bool video = false;
  for (unsigned i = 0; i < input.nb_streams; ++i) {
    const AVStream& stream = *input.streams[i];
    if (is_protected(stream)) {
      return unsupported("the file is protected (DRM): send one without protection");
    }
    if (stream.codecpar->codec_type == AVMEDIA_TYPE_AUDIO) return static_cast<int>(i);
    video = video || stream.codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
  }
  return unsupported(video ? "there is no audio in this video: send a file with audio"
                           : "there is no audio in the file");
}

bool allowed(std::string_view decoder) {
  const std::string list = std::string(",") + kDecoders + ",";
  return list.find("," + std::string(decoder) + ",") != std::string::npos;
}

Result<CodecPtr> open_codec(const AVStream& stream) {
  const AVCodec* decoder = avcodec_find_decoder(stream.codecpar->codec_id);
  if (decoder == nullptr || !allowed(decoder->name)) {
    return unsupported(std::string("audio in the codec ") +
                       avcodec_get_name(stream.codecpar->codec_id) +
                       " is not taken: send MP3, WAV (PCM), AAC, FLAC, Vorbis or Opus");
  }
  CodecPtr codec(avcodec_alloc_context3(decoder));
  if (!codec) return failure(FailureKind::kOutOfMemory, "no memory for a decoder");
  int rc = avcodec_parameters_to_context(codec.get(), stream.codecpar);
  if (rc < 0) return broken(rc, "the audio can't be decoded");
  codec->pkt_timebase = stream.time_base;
  codec->thread_count = 1;
  if (stream.codecpar->codec_id == AV_CODEC_ID_FLAC) {
    codec->err_recognition = AV_EF_CRCCHECK | AV_EF_EXPLODE;
  }
  rc = avcodec_open2(codec.get(), decoder, nullptr);
  if (rc < 0) return broken(rc, "the audio can't be decoded");
  return codec;
}

Status check_shape(int channels, int rate) {
  if (channels < 1 || channels > kAudioChannelsMax) {
    return failure(FailureKind::kInvalid,
                   "audio may have 1 to 8 channels, this has " + std::to_string(channels));
  }
  if (rate < kAudioRateMin || rate > kAudioRateMax) {
    return failure(
        FailureKind::kInvalid,
        "audio must have 8000 to 192000 samples a second, this has " + std::to_string(rate));
  }
  return ok_status();
}

}  // namespace

Result<std::unique_ptr<AudioDecoder>> AudioDecoder::open(const std::filesystem::path& path) {
  Result<AudioFormat> format = audio_format_of(path);
  if (!format) return format.failure();
  if (format->demuxer == "mov") {
    if (Status good = check_audio_boxes(path); !good) return good.failure();
  }
  Result<InputPtr> input = open_audio(path, *format);
  if (!input) return input.failure();
  const Result<int> stream = audio_stream(**input);
  if (!stream) return stream.failure();
  for (unsigned i = 0; i < (*input)->nb_streams; ++i) {
    if (static_cast<int>(i) != *stream) (*input)->streams[i]->discard = AVDISCARD_ALL;
  }
  Result<CodecPtr> codec = open_codec(*(*input)->streams[*stream]);
  if (!codec) return codec.failure();
  const AVCodecContext& opened = **codec;
  if (Status good = check_shape(opened.ch_layout.nb_channels, opened.sample_rate); !good) {
    return good.failure();
  }
  return std::make_unique<AudioDecoder>(std::move(*input), std::move(*codec), *stream,
                                        std::move(*format));
}

AudioDecoder::AudioDecoder(InputPtr input, CodecPtr codec, int stream, AudioFormat format)
    : input_(std::move(input)),
      codec_(std::move(codec)),
      stream_(stream),
      format_(std::move(format)),
      packet_(make_packet()),
      frame_(make_frame()) {}

std::int64_t AudioDecoder::declared_samples() const {
  const AVStream& stream = *input_->streams[stream_];
  const bool guessed = input_->duration_estimation_method == AVFMT_DURATION_FROM_BITRATE;
  if (guessed || format_.endless || stream.duration == AV_NOPTS_VALUE || stream.duration <= 0)
    return 0;
  return av_rescale_q(stream.duration, stream.time_base, {1, codec_->sample_rate});
}

// Gives the decoder one more packet, or tells it that there are no more.
Status AudioDecoder::feed() {
  for (;;) {
    const int rc = av_read_frame(input_.get(), packet_.get());
    if (rc < 0) {
      if (rc != AVERROR_EOF) ++bad_;
      ended_ = true;
      avcodec_send_packet(codec_.get(), nullptr);
      return ok_status();
    }
    const PacketPtr::element_type& packet = *packet_;
    if (packet.stream_index != stream_) {
      av_packet_unref(packet_.get());
      continue;
    }
    ++packets_;
    if (av_packet_get_side_data(&packet, AV_PKT_DATA_ENCRYPTION_INFO, nullptr) != nullptr) {
      return unsupported("the file is protected (DRM): send one without protection");
    }
    const bool cut = (packet.flags & AV_PKT_FLAG_CORRUPT) != 0;
    const int sent = avcodec_send_packet(codec_.get(), packet_.get());
    av_packet_unref(packet_.get());
    if (sent == AVERROR(ENOMEM)) return av_failure(sent, "the audio can't be decoded");
    if (sent < 0 || cut) ++bad_;
    if (sent >= 0) return ok_status();
  }
}

Status AudioDecoder::check_frame() const {
  const bool laid_out = av_channel_layout_check(&frame_->ch_layout) != 0;
  if (!laid_out || frame_->nb_samples <= 0) {
    return failure(FailureKind::kMalformed, "the audio changes its shape in an impossible way");
  }
  return check_shape(frame_->ch_layout.nb_channels, frame_->sample_rate);
}

Result<const AVFrame*> AudioDecoder::next() {
  for (;;) {
    const int rc = avcodec_receive_frame(codec_.get(), frame_.get());
    if (rc >= 0) {
      if (Status good = check_frame(); !good) return good.failure();
      return frame_.get();
    }
    if (rc == AVERROR(ENOMEM)) return av_failure(rc, "the audio can't be decoded");
    if (rc == AVERROR_EOF || (rc != AVERROR(EAGAIN) && ended_)) {
      if (rc != AVERROR_EOF) ++bad_;
      return static_cast<const AVFrame*>(nullptr);
    }
    if (rc != AVERROR(EAGAIN)) ++bad_;
    if (Status fed = feed(); !fed) return fed.failure();
  }
}

bool AudioDecoder::damaged() const {
  if (format_.streamed) return bad_ > 2 + packets_ / 100;
  // A stream may end within a packet, and within a sample of that.
  return bad_ > (format_.endless ? 2 : 0);
}

}  // namespace pytoon::media
