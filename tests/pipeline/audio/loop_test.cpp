#include "pipeline/media/audio/loop.h"

#include <algorithm>
#include <cmath>

#include "tests/pipeline/audio/audio_fixture.h"

namespace pytoon::media {
namespace {

Pcm pcm(const Wave& wave) {
  Pcm audio;
  for (std::size_t i = 0; i < wave.size(); ++i) {
    for (int c = 0; c < 2; ++c) {
      audio.channels[static_cast<std::size_t>(c)].push_back(wave.at(i, c));
    }
  }
  return audio;
}

// The largest step between neighbouring samples: a click is a large one.
float steepest(const std::vector<float>& samples) {
  float step = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    step = std::max(step, std::abs(samples[i] - samples[i - 1]));
  }
  return step;
}

// Lowest and highest level of 50 ms pieces, dB.
std::pair<double, double> levels(const std::vector<float>& samples) {
  constexpr std::size_t kPiece = kAudioRate / 20;
  std::pair<double, double> range{200, -200};
  for (std::size_t at = 0; at + kPiece <= samples.size(); at += kPiece / 2) {
    double power = 1e-12;
    for (std::size_t i = at; i < at + kPiece; ++i) power += samples[i] * samples[i] / kPiece;
    range.first = std::min(range.first, 10 * std::log10(power));
    range.second = std::max(range.second, 10 * std::log10(power));
  }
  return range;
}

}  // namespace

TEST(Loop, ATonesSeamCanNotBeHeardWhateverThePhase) {
  for (const double seconds : {3.0, 3.0001, 3.0012, 2.7183, 0.3}) {
    const Pcm music =
        pcm(make_wave(seconds, [](double t, int) { return 0.5 * std::sin(kTau * 441.7 * t + 1); }));
    const float step = steepest(music.channels[0]);
    const auto [low, high] = levels(music.channels[0]);
    const Pcm loop = looped(music, 15 * kAudioRate);
    ASSERT_EQ(loop.size(), 15U * kAudioRate);
    EXPECT_LE(steepest(loop.channels[0]), step * 1.05F) << seconds;
    const auto [lowest, highest] = levels(loop.channels[0]);
    EXPECT_GE(lowest, low - 1) << seconds;
    EXPECT_LE(highest, high + 1) << seconds;
  }
}

TEST(Loop, NoiseKeepsItsLevelOverTheSeam) {
  std::uint32_t noise = 7;
  const Pcm music = pcm(make_wave(4, [&](double, int) {
    noise = noise * 1664525 + 1013904223;
    return noise / 4294967296.0 - 0.5;
  }));
  const auto [low, high] = levels(music.channels[0]);
  const auto [lowest, highest] = levels(looped(music, 20 * kAudioRate).channels[0]);
  EXPECT_GE(lowest, low - 0.5);
  EXPECT_LE(highest, high + 0.5);
}

TEST(Loop, SilenceAtTheEndsMakesNoGap) {
  const Pcm music = pcm(make_wave(
      4, [](double t, int) { return t < 0.4 || t > 3.5 ? 0.0 : 0.5 * std::sin(kTau * 300 * t); }));
  const Pcm loop = looped(music, 12 * kAudioRate);
  EXPECT_GE(levels(loop.channels[1]).first, -10);
}

TEST(Loop, LongMusicIsOnlyCut) {
  const Pcm music = pcm(make_music(3));
  const Pcm cut = looped(music, 2 * kAudioRate);
  ASSERT_EQ(cut.size(), 2U * kAudioRate);
  EXPECT_TRUE(
      std::equal(cut.channels[0].begin(), cut.channels[0].end(), music.channels[0].begin()));
}

TEST(Loop, ShortAndSilentMusicMakesNoTrouble) {
  for (const std::size_t samples : {0, 1, 7, 8, 9, 31, 480, 4800}) {
    Pcm music;
    music.resize(samples);
    EXPECT_EQ(looped(music, kAudioRate).size(), static_cast<std::size_t>(kAudioRate));
    EXPECT_EQ(looped(music, kAudioRate).peak(), 0);
    for (auto& channel : music.channels) std::fill(channel.begin(), channel.end(), 0.5F);
    const Pcm loop = looped(music, kAudioRate);
    EXPECT_EQ(loop.size(), static_cast<std::size_t>(kAudioRate));
    EXPECT_LE(loop.peak(), 0.52F);
  }
}

class LoopInAudio : public AudioTest {};

TEST_F(LoopInAudio, TheFinishedAudioHasNoGapAndNoClick) {
  AudioOrder wanted = order(15);
  wanted.music =
      save("tone.mp3", make_wave(4, [](double t, int) { return 0.4 * std::sin(kTau * 500 * t); }),
           "-b:a 192k");
  write(wanted);
  const Wave heard = hear(wanted.output);
  const double full = tone_db(heard, 500, 1);
  for (double at = 0.2; at < 13.4; at += 0.02) {
    ASSERT_NEAR(tone_db(heard, 500, at), full, 1) << at;
    // A click is wide-band: it would show where the tone is not.
    ASSERT_LT(tone_db(heard, 9000, at), full - 50) << at;
  }
}

}  // namespace pytoon::media
