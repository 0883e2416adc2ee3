// A voice is heard on both sides and on a phone's single loudspeaker, however it was recorded.
#include "pipeline/media/audio/voice_shape.h"

#include <cmath>

#include "tests/pipeline/audio/audio_fixture.h"

namespace pytoon::media {

class VoiceShapes : public AudioTest {
 protected:
  // What speech becomes on two channels.
  std::filesystem::path voice(double left, double right, double delay_seconds = 0) const {
    const Wave spoken = speak("a voice for both ears, and for every telephone there is");
    const auto delay = static_cast<std::size_t>(delay_seconds * spoken.rate);
    return save("voice.wav", make_wave(
                                 static_cast<double>(spoken.size()) / spoken.rate,
                                 [&](double t, int channel) {
                                   const auto i = static_cast<std::size_t>(t * spoken.rate + 0.5);
                                   const std::size_t lag = channel == 1 ? delay : 0;
                                   if (i < lag || i - lag >= spoken.size()) return 0.0;
                                   return spoken.at(i - lag) * (channel == 0 ? left : right);
                                 },
                                 spoken.rate, 2));
  }

  AudioMeasures film(const std::filesystem::path& voice) const {
    AudioOrder wanted = order(5);
    wanted.voice = voice;
    return write(wanted);
  }

  // Of what one loudspeaker or ear hears, in dB of the sum of squares.
  double heard_db(double left, double right) const {
    const Wave wave = hear(order(5).output);
    double sum = 0;
    for (std::size_t i = 0; i < wave.size(); ++i) {
      const double sample = left * wave.at(i, 0) + right * wave.at(i, 1);
      sum += sample * sample;
    }
    return 10 * std::log10(sum + 1e-9);
  }

  void expect_heard_everywhere() const {
    EXPECT_NEAR(heard_db(1, 0), heard_db(0, 1), 1.5);
    EXPECT_GT(heard_db(0.5, 0.5), heard_db(1, 0) - 3);
  }
};

TEST_F(VoiceShapes, OneSidedIsHeardOnBothSides) {
  for (const auto& [left, right] : {std::pair{0.5, 0.0}, {0.0, 0.5}, {0.5, 0.02}, {0.01, 0.5}}) {
    EXPECT_EQ(film(voice(left, right)).voice_mended, VoiceShape::kOneSided);
    expect_heard_everywhere();
  }
}

TEST_F(VoiceShapes, AnInvertedChannelIsHeardInMono) {
  for (const auto& [left, right] : {std::pair{0.5, -0.5}, {-0.5, 0.5}, {0.5, -0.3}}) {
    EXPECT_EQ(film(voice(left, right)).voice_mended, VoiceShape::kInverted);
    EXPECT_GT(heard_db(0.5, 0.5), heard_db(1, 0) - 3);
  }
}

TEST_F(VoiceShapes, OthersStayAsTheyAre) {
  for (const auto& [left, right] : {std::pair{0.5, 0.5}, {0.5, 0.15}, {0.2, 0.5}}) {
    EXPECT_EQ(film(voice(left, right)).voice_mended, VoiceShape::kWhole);
  }
  // Two microphones: not alike, not cancelling.
  EXPECT_EQ(film(voice(0.5, 0.5, 0.004)).voice_mended, VoiceShape::kWhole);
  Pcm silence;
  silence.resize(1000);
  EXPECT_EQ(mend_voice(silence), VoiceShape::kWhole);
}

}  // namespace pytoon::media
