#include "pipeline/media/audio/mix.h"

#include <cstdio>

#include "base/check.h"
#include "pipeline/media/audio/duck_key.h"
#include "pipeline/media/audio/mastering.h"

namespace pytoon::media {
namespace {

constexpr std::size_t kFadeSamplesMax = kAudioRate * 3 / 2;

// The key is 0 or 1. With a threshold of -26 dB and a ratio of 13 to 7 a key of 1 takes 12 dB off:
// 26 * (1 - 7 / 13). The compressor's attack and release are four times its time constants, so
// music is 8 dB down 60 ms after the key rises, and after it falls music rises evenly (in dB) for
// three time constants, 0.3 s.
constexpr char kDucking[] =
    "sidechaincompress=threshold=0.05012:ratio=1.857143:attack=240:release=400:knee=1:"
    "detection=peak:link=maximum";

std::string volume(double gain_db) {
  return "volume=volume=" + std::to_string(db_to_linear(gain_db)) + ":precision=float";
}

std::string fade(std::size_t samples) {
  const std::size_t length = std::min(kFadeSamplesMax, samples / 4);
  return "afade=type=out:start_sample=" + std::to_string(samples - length) +
         ":nb_samples=" + std::to_string(length);
}

struct Gains {
  double music_db = 0;
  double voice_db = 0;
};

// What silent parts get does not matter. Nothing is raised by more than kGainMaxDb in the end:
// where the voice leaves that much room above itself, music may use it, no more.
Gains gains_of(const MixParts& parts, const Loudness& music, const Loudness& voice) {
  if (!music.integrated_lufs || !voice.integrated_lufs) return {};
  Gains gains;
  gains.voice_db = parts.voice_level_db - *voice.integrated_lufs + kTargetLufs;
  gains.music_db = parts.music_level_db - *music.integrated_lufs + kTargetLufs;
  const double voice_total_db = std::min(kGainMaxDb, kTargetLufs - *voice.integrated_lufs);
  gains.music_db = std::min(gains.music_db, gains.voice_db + kGainMaxDb - voice_total_db);
  return gains;
}

Result<Mix> finished(Result<FilterResult> mixed, std::size_t samples) {
  if (!mixed) return mixed.failure();
  CHECK(mixed->audio.size() == samples, "the mix has another length than its parts");
  Mix mix;
  mix.audio = std::move(mixed->audio);
  mix.loudness = noted_loudness(mixed->notes);
  return mix;
}

Result<Mix> mix_one(const MixParts& parts, const CancelToken& cancel) {
  const Pcm& audio = parts.music ? *parts.music : *parts.voice;
  std::string graph = "[in0]";
  if (parts.music) graph += fade(audio.size()) + ",";
  return finished(run_graph(graph + loudness_filter(false), {&audio}, cancel), audio.size());
}

Result<Mix> mix_both(const MixParts& parts, const CancelToken& cancel) {
  const Result<Loudness> music = measure_loudness(*parts.music, false, cancel);
  if (!music) return music.failure();
  const Result<Loudness> voice = measure_loudness(*parts.voice, false, cancel);
  if (!voice) return voice.failure();
  const Gains gains = gains_of(parts, *music, *voice);
  const std::size_t samples = parts.music->size();
  const std::string music_chain = "[in0]" + volume(gains.music_db) + "," + fade(samples) + "[m];";
  const std::string voice_chain = "[in1]" + volume(gains.voice_db) + "[v];";
  const std::string join = "[v]amix=inputs=2:normalize=0," + loudness_filter(false);
  const bool duck = parts.duck_music && voice->integrated_lufs;

  std::string graph = music_chain + voice_chain;
  std::vector<const Pcm*> inputs{&*parts.music, &*parts.voice};
  Pcm key;
  if (duck) {
    key = duck_key(*parts.voice, *voice->integrated_lufs);
    inputs.push_back(&key);
    graph += std::string("[m][in2]") + kDucking + "[d];[d]" + join;
  } else {
    graph += "[m]" + join;
  }
  Result<Mix> mix = finished(run_graph(graph, inputs, cancel), samples);
  if (!mix) return mix;
  mix->gain_db = std::max(gains.music_db, gains.voice_db);
  mix->ducked = duck && music->integrated_lufs;
  return mix;
}

}  // namespace

Result<Mix> mix_audio(const MixParts& parts, const CancelToken& cancel) {
  CHECK(parts.music || parts.voice, "there is nothing to mix");
  return parts.music && parts.voice ? mix_both(parts, cancel) : mix_one(parts, cancel);
}

}  // namespace pytoon::media
