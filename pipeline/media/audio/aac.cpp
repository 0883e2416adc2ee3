#include "pipeline/media/audio/aac.h"

#include <cstring>

namespace pytoon::media {
namespace {

Failure cancelled() { return failure(FailureKind::kCancelled, "the audio was cancelled"); }

Result<CodecPtr> open_encoder() {
  const AVCodec* encoder = avcodec_find_encoder_by_name("aac");
  if (encoder == nullptr) return failure(FailureKind::kMedia, "this FFmpeg has no AAC encoder");
  CodecPtr codec(avcodec_alloc_context3(encoder));
  if (!codec) return failure(FailureKind::kOutOfMemory, "no memory for an encoder");
  codec->sample_rate = kAudioRate;
  codec->sample_fmt = AV_SAMPLE_FMT_FLTP;
  codec->bit_rate = kAudioBitrate;
  codec->profile = FF_PROFILE_AAC_LOW;
  codec->time_base = {1, kAudioRate};
  codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
  codec->thread_count = 1;
  av_channel_layout_default(&codec->ch_layout, static_cast<int>(kAudioChannels));
  const int rc = avcodec_open2(codec.get(), encoder, nullptr);
  if (rc < 0) return av_failure(rc, "the AAC encoder does not start");
  return codec;
}

Status receive(AVCodecContext& codec, AacAudio& encoded) {
  for (;;) {
    PacketPtr packet = make_packet();
    const int rc = avcodec_receive_packet(&codec, packet.get());
    if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return ok_status();
    if (rc < 0) return av_failure(rc, "the AAC encoder failed");
    encoded.packets.push_back(std::move(packet));
  }
}

Status encode_frame(AVCodecContext& codec, const Pcm& audio, std::size_t from) {
  const FramePtr frame = make_frame();
  frame->format = codec.sample_fmt;
  frame->sample_rate = codec.sample_rate;
  frame->nb_samples =
      static_cast<int>(std::min(static_cast<std::size_t>(codec.frame_size), audio.size() - from));
  frame->pts = static_cast<std::int64_t>(from);
  av_channel_layout_default(&frame->ch_layout, static_cast<int>(kAudioChannels));
  if (Status room = av_status(av_frame_get_buffer(frame.get(), 0), "no memory for audio"); !room) {
    return room;
  }
  for (std::size_t c = 0; c < kAudioChannels; ++c) {
    std::memcpy(frame->extended_data[c], audio.channels[c].data() + from,
                static_cast<std::size_t>(frame->nb_samples) * sizeof(float));
  }
  return av_status(avcodec_send_frame(&codec, frame.get()), "the AAC encoder failed");
}

Result<CodecPtr> open_decoder(const AacFormat& format) {
  const AVCodec* decoder = avcodec_find_decoder_by_name("aac");
  if (decoder == nullptr) return failure(FailureKind::kMedia, "this FFmpeg has no AAC decoder");
  CodecPtr codec(avcodec_alloc_context3(decoder));
  if (!codec) return failure(FailureKind::kOutOfMemory, "no memory for a decoder");
  codec->thread_count = 1;
  codec->sample_rate = format.sample_rate;
  av_channel_layout_default(&codec->ch_layout, format.channels);
  const std::size_t size = format.config.size();
  codec->extradata = static_cast<std::uint8_t*>(av_mallocz(size + AV_INPUT_BUFFER_PADDING_SIZE));
  if (codec->extradata == nullptr) {
    return failure(FailureKind::kOutOfMemory, "no memory for a decoder");
  }
  std::memcpy(codec->extradata, format.config.data(), size);
  codec->extradata_size = static_cast<int>(size);
  const int rc = avcodec_open2(codec.get(), decoder, nullptr);
  if (rc < 0) return av_failure(rc, "the AAC decoder does not start");
  return codec;
}

Status receive(AVCodecContext& codec, AVFrame& frame, Pcm& audio) {
  for (;;) {
    const int rc = avcodec_receive_frame(&codec, &frame);
    if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) return ok_status();
    if (rc < 0) return av_failure(rc, "our own audio can't be decoded");
    for (std::size_t c = 0; c < kAudioChannels; ++c) {
      const auto* samples = reinterpret_cast<const float*>(frame.extended_data[c]);
      audio.channels[c].insert(audio.channels[c].end(), samples, samples + frame.nb_samples);
    }
  }
}

Status leave_priming_out(AacAudio& encoded, const AVCodecContext& codec) {
  const bool alone = codec.initial_padding == codec.frame_size && !encoded.packets.empty() &&
                     encoded.packets.front()->pts == -codec.initial_padding;
  if (!alone) return failure(FailureKind::kMedia, "this FFmpeg's AAC has another priming");
  encoded.packets.erase(encoded.packets.begin());
  return ok_status();
}

}  // namespace

Result<AacAudio> encode_aac(const Pcm& audio, const CancelToken& cancel) {
  Result<CodecPtr> codec = open_encoder();
  if (!codec) return codec.failure();
  AacAudio encoded;
  for (std::size_t at = 0; at < audio.size();
       at += static_cast<std::size_t>((*codec)->frame_size)) {
    if (cancel.cancelled()) return cancelled();
    if (Status sent = encode_frame(**codec, audio, at); !sent) return sent.failure();
    if (Status got = receive(**codec, encoded); !got) return got.failure();
  }
  if (Status sent = av_status(avcodec_send_frame(codec->get(), nullptr), "the AAC encoder failed");
      !sent) {
    return sent.failure();
  }
  if (Status got = receive(**codec, encoded); !got) return got.failure();
  if (Status left = leave_priming_out(encoded, **codec); !left) return left.failure();
  const std::uint8_t* config = (*codec)->extradata;
  encoded.format = {kAudioRate, static_cast<int>(kAudioChannels), kAudioBitrate,
                    Bytes(config, config + (*codec)->extradata_size)};
  return encoded;
}

Result<Pcm> decode_aac(const AacAudio& encoded, std::size_t samples, const CancelToken& cancel) {
  Result<CodecPtr> codec = open_decoder(encoded.format);
  if (!codec) return codec.failure();
  const FramePtr frame = make_frame();
  Pcm audio;
  for (const PacketPtr& packet : encoded.packets) {
    if (cancel.cancelled()) return cancelled();
    const int rc = avcodec_send_packet(codec->get(), packet.get());
    if (Status sent = av_status(rc, "our own audio can't be decoded"); !sent) return sent.failure();
    if (Status got = receive(**codec, *frame, audio); !got) return got.failure();
  }
  avcodec_send_packet(codec->get(), nullptr);
  if (Status got = receive(**codec, *frame, audio); !got) return got.failure();
  if (audio.size() < samples) {
    return failure(FailureKind::kMedia, "our own audio came out too short");
  }
  audio.resize(samples);
  return audio;
}

}  // namespace pytoon::media
