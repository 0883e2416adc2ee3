#include "pipeline/media/audio/voice_shape.h"

#include "base/check.h"

namespace pytoon::media {
namespace {

constexpr double kOneSidedPower = 0.01;  // 20 dB
// The correlation of the channels. In mono a voice of -0.5 loses 6 dB against its mirror image.
constexpr double kInvertedCorrelation = -0.5;

struct Powers {
  double left = 0;
  double right = 0;
  double cross = 0;
};

Powers powers_of(const Pcm& voice) {
  Powers sum;
  for (std::size_t i = 0; i < voice.size(); ++i) {
    const double left = voice.channels[0][i];
    const double right = voice.channels[1][i];
    sum.left += left * left;
    sum.right += right * right;
    sum.cross += left * right;
  }
  return sum;
}

}  // namespace

VoiceShape mend_voice(Pcm& voice) {
  const Powers power = powers_of(voice);
  const double louder = std::max(power.left, power.right);
  if (louder <= 0) return VoiceShape::kWhole;
  if (std::min(power.left, power.right) <= louder * kOneSidedPower) {
    const std::size_t heard = power.left >= power.right ? 0 : 1;
    voice.channels[1 - heard] = voice.channels[heard];
    return VoiceShape::kOneSided;
  }
  if (power.cross < kInvertedCorrelation * std::sqrt(power.left * power.right)) {
    for (float& sample : voice.channels[1]) sample = -sample;
    return VoiceShape::kInverted;
  }
  return VoiceShape::kWhole;
}

}  // namespace pytoon::media
