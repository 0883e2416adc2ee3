#include <algorithm>
#include <cmath>

#include "pipeline/media/audio/duck_key.h"
#include "tests/pipeline/audio/audio_fixture.h"

namespace pytoon::media {
namespace {

struct Spoken {
  double from = 0;  // s, where the voice is heard
  double to = 0;
};

// Puts words at times, each from the first to the last sample that is heard (-45 dB of its peak).
class Ducking : public AudioTest {
 protected:
  Spoken put(Wave& track, const std::string& word, double at) const {
    const Wave said = speak(word);
    float peak = 0;
    for (const float sample : said.samples) peak = std::max(peak, std::abs(sample));
    const auto heard = [&](float sample) { return std::abs(sample) > peak * 0.0056F; };
    const auto first = std::find_if(said.samples.begin(), said.samples.end(), heard);
    const auto last = std::find_if(said.samples.rbegin(), said.samples.rend(), heard).base();
    const auto start = static_cast<std::size_t>(at * track.rate);
    std::copy(first, last, track.samples.begin() + static_cast<std::ptrdiff_t>(start));
    return {at, at + static_cast<double>(last - first) / track.rate};
  }
  static Wave nobody(double seconds) {
    return make_wave(
        seconds, [](double, int) { return 0.0; }, 22'050, 1);
  }
  // The loudest that the music's own tone is between two times.
  static double loudest_db(const Wave& heard, double from, double to) {
    double loudest = -120;
    for (double at = from; at <= to; at += 0.005) {
      loudest = std::max(loudest, tone_db(heard, kToneHz, at));
    }
    return loudest;
  }
};

}  // namespace

TEST_F(Ducking, MusicIsDownBeforeAWordStaysDownOverPausesAndComesBack) {
  for (const float recorded : {1.0F, 0.1F}) {
    Wave track = nobody(12);
    const Spoken first = put(track, "Breakfast", 2);
    const Spoken second = put(track, "tomorrow", first.to + 0.34);
    const Spoken third = put(track, "Supper", second.to + 2);
    for (float& sample : track.samples) sample *= recorded;
    AudioOrder wanted = order(12);
    wanted.voice = save("voice.wav", track);
    wanted.music = save("music.wav", make_music(12));
    EXPECT_TRUE(write(wanted).ducked);
    const Wave heard = hear(wanted.output);

    const double normal = tone_db(heard, kToneHz, 1.5);
    EXPECT_NEAR(loudest_db(heard, 0.5, 1.7), normal, 2);  // beats have their own
    EXPECT_LE(loudest_db(heard, first.from, first.to), normal - 8);
    EXPECT_LE(loudest_db(heard, first.to, second.from), normal - 8) << "in a pause of 340 ms";
    EXPECT_LE(loudest_db(heard, second.from, second.to), normal - 8);
    EXPECT_LE(loudest_db(heard, third.from, third.to), normal - 8);
    EXPECT_NEAR(tone_db(heard, kToneHz, second.to + 0.5), normal, 1);
    EXPECT_NEAR(tone_db(heard, kToneHz, third.to + 0.5), normal, 1);
  }
}

TEST_F(Ducking, AWholeSentenceKeepsMusicDown) {
  Wave track = nobody(7);
  const Spoken said = put(track, "Meet the morning blend, slow roasted and picked by hand.", 1.5);
  ASSERT_LT(said.to, 6);
  AudioOrder wanted = order(7);
  wanted.voice = save("voice.wav", track);
  wanted.music = save("music.wav", make_music(7));
  write(wanted);
  const Wave heard = hear(wanted.output);
  EXPECT_LE(loudest_db(heard, said.from, said.to), tone_db(heard, kToneHz, 1.1) - 8);
}

TEST_F(Ducking, NoDuckingWhenTheSpecSaysSo) {
  Wave track = nobody(4);
  const Spoken said = put(track, "Breakfast", 2);
  AudioOrder wanted = order(4);
  wanted.voice = save("voice.wav", track);
  wanted.music = save("music.wav", make_music(4));
  wanted.duck_music = false;
  EXPECT_FALSE(write(wanted).ducked);
  const Wave heard = hear(wanted.output);
  EXPECT_NEAR(tone_db(heard, kToneHz, (said.from + said.to) / 2), tone_db(heard, kToneHz, 1), 2);
}

TEST(DuckKey, PausesUpToTheLimitAreBridgedAndTheKeyComesEarly) {
  Pcm voice;
  voice.resize(5 * kAudioRate);
  const auto speak_at = [&](double from, double to) {
    for (auto& channel : voice.channels) {
      for (auto i = static_cast<std::size_t>(from * kAudioRate); i < to * kAudioRate; ++i) {
        channel[i] = 0.1F * static_cast<float>(std::sin(0.05 * static_cast<double>(i)));
      }
    }
  };
  speak_at(1, 1.5);
  speak_at(1.9, 2.2);
  speak_at(3.5, 4);
  const Pcm key = duck_key(voice, -20);
  const auto at = [&](double seconds) {
    return key.channels[0][static_cast<std::size_t>(seconds * kAudioRate)];
  };
  EXPECT_EQ(at(0.8), 0);
  EXPECT_EQ(at(0.85), 1);
  EXPECT_EQ(at(1.7), 1);
  EXPECT_EQ(at(2.19), 1);
  EXPECT_EQ(at(2.22), 0);
  EXPECT_EQ(at(3.3), 0);
  EXPECT_EQ(at(3.35), 1);
  EXPECT_EQ(at(4.5), 0);
  EXPECT_EQ(key.channels[0], key.channels[1]);
}

}  // namespace pytoon::media
