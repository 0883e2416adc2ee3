#include "pipeline/media/audio/audio_file.h"

#include <cmath>
#include <memory>

#include "pipeline/media/audio/audio_decoder.h"
#include "pipeline/media/audio/stereo_converter.h"
#include "pipeline/media/gst/element_failure.h"

namespace pytoon::media {
namespace {

constexpr double kShortestSeconds = 0.01;
// Headers may count an encoder's padding, which the decoder drops.
constexpr double kMissingSecondsMax = 0.25;

Failure damaged() {
  return failure(FailureKind::kMalformed,
                 "parts of the audio can't be decoded: the file is damaged");
}

Status check_length(double seconds, double declared) {
  if (seconds < kShortestSeconds) {
    return failure(FailureKind::kMalformed, "there is no audio in the file: it is empty");
  }
  if (declared - seconds > kMissingSecondsMax) {
    return failure(FailureKind::kMalformed, "the file is cut off: it says it lasts " +
                                                std::to_string(declared) + " s and has " +
                                                std::to_string(seconds) + " s");
  }
  return ok_status();
}

// Damaged files of floats hold anything. 60 dB above full scale is no recording.
bool plausible(const AVFrame& frame) {
  const bool planar = av_sample_fmt_is_planar(static_cast<AVSampleFormat>(frame.format)) != 0;
  const int planes = planar ? frame.ch_layout.nb_channels : 1;
  const int values = frame.nb_samples * (planar ? 1 : frame.ch_layout.nb_channels);
  const AVSampleFormat packed = av_get_packed_sample_fmt(static_cast<AVSampleFormat>(frame.format));
  const auto all = [&](auto type) {
    using Sample = decltype(type);
    for (int plane = 0; plane < planes; ++plane) {
      const auto* samples = reinterpret_cast<const Sample*>(frame.extended_data[plane]);
      for (int i = 0; i < values; ++i) {
        if (!(std::abs(samples[i]) <= 1000)) return false;  // not-a-number fails too
      }
    }
    return true;
  };
  if (packed == AV_SAMPLE_FMT_FLT) return all(float{});
  if (packed == AV_SAMPLE_FMT_DBL) return all(double{});
  return true;
}

Result<MediaInfo> inspect(const std::filesystem::path& file) {
  Result<std::unique_ptr<AudioDecoder>> decoder = AudioDecoder::open(file);
  if (!decoder) return decoder.failure();
  double seconds = 0;
  bool audio = true;
  for (;;) {
    const Result<const AVFrame*> frame = (*decoder)->next();
    if (!frame) return frame.failure();
    if (*frame == nullptr) break;
    seconds += static_cast<double>((*frame)->nb_samples) / (*frame)->sample_rate;
    audio = audio && plausible(**frame);
    if (seconds > kAudioSecondsMax) {
      return failure(FailureKind::kInvalid, "audio may last 15 minutes at most");
    }
  }
  const double declared =
      static_cast<double>((*decoder)->declared_samples()) / (*decoder)->sample_rate();
  if ((*decoder)->damaged() || !audio) return damaged();
  if (Status good = check_length(seconds, declared); !good) return good.failure();
  MediaInfo info;
  info.format = (*decoder)->format().name;
  info.duration_seconds = seconds;
  info.channels = (*decoder)->channels();
  info.sample_rate = (*decoder)->sample_rate();
  return info;
}

Result<Pcm> read(const std::filesystem::path& file, std::size_t samples_max,
                 const CancelToken& cancel) {
  Result<std::unique_ptr<AudioDecoder>> decoder = AudioDecoder::open(file);
  if (!decoder) return decoder.failure();
  Pcm audio;
  StereoConverter converter(audio);
  while (audio.size() < samples_max) {
    if (cancel.cancelled()) return failure(FailureKind::kCancelled, "the audio was cancelled");
    const Result<const AVFrame*> frame = (*decoder)->next();
    if (!frame) return frame.failure();
    if (*frame == nullptr) break;
    if (!plausible(**frame)) return damaged();
    if (Status done = converter.convert(**frame); !done) return done.failure();
  }
  if (Status done = converter.finish(); !done) return done.failure();
  if (audio.size() > samples_max) audio.resize(samples_max);
  return audio;
}

}  // namespace

Result<MediaInfo> inspect_audio(const std::filesystem::path& file) {
  return contained([&] { return inspect(file); });
}

Result<Pcm> read_audio(const std::filesystem::path& file, std::size_t samples_max,
                       const CancelToken& cancel) {
  return contained([&] { return read(file, samples_max, cancel); });
}

}  // namespace pytoon::media
