#include "pipeline/media/audio/audio_writer.h"

#include "pipeline/media/audio/aac.h"
#include "pipeline/media/audio/loop.h"
#include "pipeline/media/audio/mastering.h"
#include "pipeline/media/audio/mix.h"
#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/gst/publication.h"

namespace pytoon::media {
namespace {

// AAC moves peaks by up to a decibel at this bitrate.
constexpr double kRoomForAacDb = 1;
constexpr double kAllowedLu = 0.3;
constexpr int kRoundsMax = 4;

std::size_t samples_of(const AudioOrder& order) {
  return static_cast<std::size_t>(order.duration_seconds) * kAudioRate;
}

Result<std::optional<Pcm>> read_voice(const AudioOrder& order, FileDecoder& decoder) {
  if (!order.voice) return std::optional<Pcm>();
  const std::size_t samples = samples_of(order);
  Result<Pcm> voice = decoder.read_audio(*order.voice, samples + kAudioRate, order.cancel);
  if (!voice) return voice.failure();
  // Resampling may round up by a few samples.
  constexpr std::size_t kRounding = 32;
  if (voice->size() > samples + kRounding) {
    return failure(FailureKind::kInvalid, "the voice is longer than the video");
  }
  voice->resize(samples);
  return std::optional<Pcm>(std::move(voice).value());
}

Result<std::optional<Pcm>> read_music(const AudioOrder& order, FileDecoder& decoder) {
  if (!order.music) return std::optional<Pcm>();
  Result<Pcm> music = decoder.read_audio(*order.music, samples_of(order), order.cancel);
  if (!music) return music.failure();
  return std::optional<Pcm>(looped(std::move(music).value(), samples_of(order)));
}

struct MixedVoice {
  Mix mix;
  VoiceShape mended = VoiceShape::kWhole;
};

Result<MixedVoice> make_mix(const AudioOrder& order, FileDecoder& decoder) {
  MixParts parts;
  Result<std::optional<Pcm>> voice = read_voice(order, decoder);
  if (!voice) return voice.failure();
  Result<std::optional<Pcm>> music = read_music(order, decoder);
  if (!music) return music.failure();
  parts.voice = std::move(voice).value();
  parts.music = std::move(music).value();
  parts.music_level_db = order.music_level_db;
  parts.voice_level_db = order.voice_level_db;
  parts.duck_music = order.duck_music;
  const VoiceShape mended = parts.voice ? mend_voice(*parts.voice) : VoiceShape::kWhole;
  Result<Mix> mix = mix_audio(parts, order.cancel);
  if (!mix) return mix.failure();
  return MixedVoice{std::move(mix).value(), mended};
}

struct Encoded {
  AacAudio aac;
  AudioMeasures measures;
};

Result<Encoded> encode(const Pcm& audio, const CancelToken& cancel) {
  Result<AacAudio> aac = encode_aac(audio, cancel);
  if (!aac) return aac.failure();
  const Result<Pcm> heard = decode_aac(*aac, audio.size(), cancel);
  if (!heard) return heard.failure();
  const Result<Loudness> loudness = measure_loudness(*heard, true, cancel);
  if (!loudness) return loudness.failure();
  Encoded encoded{std::move(aac).value(), {}};
  encoded.measures.integrated_lufs = loudness->integrated_lufs;
  encoded.measures.true_peak_dbtp = loudness->true_peak_dbtp;
  encoded.measures.loudness_range_lu = loudness->range_lu;
  return encoded;
}

// Encoding changes peaks and, a little, loudness: where they come out wrong, once more with other
// aims.
Result<Encoded> finish(const Mix& mix, const CancelToken& cancel) {
  MasterOrder aims;
  aims.ceiling_dbtp = kPeakMaxDbtp - kRoomForAacDb;
  aims.gain_max_db = kGainMaxDb - mix.gain_db;
  for (int round = 1;; ++round) {
    const Result<Master> master =
        master_audio(mix.audio, mix.loudness.integrated_lufs, aims, cancel);
    if (!master) return master.failure();
    Result<Encoded> encoded = encode(master->audio, cancel);
    if (!encoded) return encoded;
    encoded->measures.gain_db = master->gain_db;
    encoded->measures.ducked = mix.ducked;
    const AudioMeasures& heard = encoded->measures;
    const double over_db = heard.true_peak_dbtp.value_or(-99) - kPeakMaxDbtp;
    const double missing_lu = heard.integrated_lufs ? kTargetLufs - *heard.integrated_lufs : 0;
    const bool can_rise = master->gain_db < aims.gain_max_db;
    const bool loud_enough = std::abs(missing_lu) <= kAllowedLu || (missing_lu > 0 && !can_rise);
    if ((over_db <= 0 && loud_enough) || round == kRoundsMax) return encoded;
    if (over_db > 0) aims.ceiling_dbtp -= over_db + 0.1;
    if (!loud_enough) aims.target_lufs += missing_lu;
  }
}

Status write_file(const AacAudio& aac, const std::filesystem::path& path) {
  const Publication file(path);
  Result<std::unique_ptr<Mp4Writer>> writer = Mp4Writer::create(file.temporary());
  if (!writer) return writer.failure();
  const Result<int> track = (*writer)->add_audio(aac.format);
  if (!track) return track.failure();
  for (const PacketPtr& packet : aac.packets) {
    const ByteSpan bytes(packet->data, static_cast<std::size_t>(packet->size));
    const Status written = (*writer)->write(*track, {.bytes = bytes,
                                                     .show_at = packet->pts,
                                                     .decode_at = packet->pts,
                                                     .duration = packet->duration,
                                                     .key = true});
    if (!written) return written;
  }
  if (Status finished = (*writer)->finish(); !finished) return finished;
  return file.publish();
}

Result<AudioMeasures> write(const AudioOrder& order, FileDecoder& decoder) {
  if (order.duration_seconds < 1) return failure(FailureKind::kInvalid, "a video has a length");
  const Result<MixedVoice> mixed = make_mix(order, decoder);
  if (!mixed) return mixed.failure();
  Result<Encoded> encoded = finish(mixed->mix, order.cancel);
  if (!encoded) return encoded.failure();
  encoded->measures.voice_mended = mixed->mended;
  if (Status written = write_file(encoded->aac, order.output); !written) return written.failure();
  return encoded->measures;
}

}  // namespace

Result<AudioMeasures> write_audio(const AudioOrder& order, FileDecoder& decoder) {
  return contained([&] { return write(order, decoder); });
}

}  // namespace pytoon::media
