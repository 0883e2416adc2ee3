#include "pipeline/media/audio/duck_key.h"

namespace pytoon::media {
namespace {

constexpr std::size_t kStretch = kAudioRate / 100;
constexpr double kBeginsBelowDb = 20;
constexpr double kEndsBelowDb = 28;
constexpr std::size_t kBridged = 45;   // stretches
constexpr std::size_t kAdvanced = 16;  // stretches

// Mean square of both channels added: what loudness is the logarithm of.
std::vector<double> powers(const Pcm& voice) {
  std::vector<double> power(voice.size() / kStretch + 1);
  for (const std::vector<float>& channel : voice.channels) {
    for (std::size_t i = 0; i < channel.size(); ++i) {
      power[i / kStretch] += static_cast<double>(channel[i]) * channel[i] / kStretch;
    }
  }
  return power;
}

std::vector<bool> speaking(const std::vector<double>& power, double voice_lufs) {
  const double begins = std::pow(10.0, (voice_lufs - kBeginsBelowDb) / 10);
  const double ends = std::pow(10.0, (voice_lufs - kEndsBelowDb) / 10);
  std::vector<bool> speech(power.size());
  bool now = false;
  for (std::size_t i = 0; i < power.size(); ++i) {
    now = power[i] >= (now ? ends : begins);
    speech[i] = now;
  }
  // What is quiet at the start of a word belongs to it.
  for (std::size_t i = power.size(); i-- > 1;) {
    if (speech[i] && power[i - 1] >= ends) speech[i - 1] = true;
  }
  return speech;
}

void bridge_pauses(std::vector<bool>& speech) {
  std::size_t spoken_until = speech.size();  // none yet
  for (std::size_t i = 0; i < speech.size(); ++i) {
    if (!speech[i]) continue;
    if (spoken_until < i && i - spoken_until <= kBridged) {
      std::fill(speech.begin() + static_cast<std::ptrdiff_t>(spoken_until),
                speech.begin() + static_cast<std::ptrdiff_t>(i), true);
    }
    spoken_until = i + 1;
  }
}

}  // namespace

Pcm duck_key(const Pcm& voice, double voice_lufs) {
  std::vector<bool> speech = speaking(powers(voice), voice_lufs);
  bridge_pauses(speech);
  std::vector<float> key(voice.size());
  for (std::size_t stretch = 0; stretch < speech.size(); ++stretch) {
    if (!speech[stretch]) continue;
    const std::size_t first = (stretch - std::min(stretch, kAdvanced)) * kStretch;
    const std::size_t last = std::min((stretch + 1) * kStretch, key.size());
    std::fill(key.begin() + static_cast<std::ptrdiff_t>(first),
              key.begin() + static_cast<std::ptrdiff_t>(last), 1.0F);
  }
  return Pcm{{key, key}};
}

}  // namespace pytoon::media
