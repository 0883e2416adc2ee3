// What the tests of audio share: a folder of their own, speech by espeak-ng, music made here, files
// of every kind by the ffmpeg program, and ways to listen that share no code with the product: the
// ffmpeg program decodes, libebur128 measures loudness, Goertzel's formula the level of one tone.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "pipeline/media/audio/audio_writer.h"
#include "pipeline/media/decoder/local_decoder.h"

namespace pytoon::media {

// Interleaved samples.
struct Wave {
  int rate = 48'000;
  int channels = 2;
  std::vector<float> samples;

  std::size_t size() const { return samples.size() / static_cast<std::size_t>(channels); }
  float at(std::size_t index, int channel = 0) const {
    return samples[index * static_cast<std::size_t>(channels) + static_cast<std::size_t>(channel)];
  }
};

// value(seconds, channel) at every sample.
Wave make_wave(double seconds, const std::function<double(double, int)>& value, int rate = 48'000,
               int channels = 2);
// Chords that change, a beat of noise, and a steady 14 kHz tone 26 dB below full scale, where no
// voice is: the tone's level tells what happened to the music.
Wave make_music(double seconds);
inline constexpr double kToneHz = 14'000;

struct Measured {
  double lufs = 0;
  double true_peak_dbtp = 0;
};
Measured measure(const Wave& wave);

// Level of one frequency in the left channel around a time, dB of full scale.
double tone_db(const Wave& wave, double hz, double at_seconds, double window_seconds = 0.02);

class AudioTest : public testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  std::filesystem::path in_folder(const std::string& name) const { return folder_ / name; }
  // A float WAV, or whatever `name` and ffmpeg's `options` ask for.
  std::filesystem::path save(const std::string& name, const Wave& wave,
                             const std::string& options = "") const;
  // Spoken by espeak-ng: 22050 Hz, mono, 16 bits.
  Wave speak(const std::string& text) const;
  // As the ffmpeg program plays it: 48 kHz stereo.
  Wave hear(const std::filesystem::path& file) const;
  // What ffprobe says to `entries`, one value a line.
  std::string probe(const std::filesystem::path& file, const std::string& entries) const;
  void run(const std::string& command) const;

  AudioOrder order(int seconds) const;
  AudioMeasures write(const AudioOrder& order) const;

  std::filesystem::path folder_;
  mutable LocalDecoder decoder_;
};

}  // namespace pytoon::media
