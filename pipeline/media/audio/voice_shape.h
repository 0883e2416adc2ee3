// A voice that not everybody would hear: recorded on one side only, or with one channel upside
// down, so that the two cancel out on a phone's single loudspeaker. Measured and mended.
//
// Thread rule: pure.
#pragma once

#include <string_view>

#include "pipeline/media/audio/pcm.h"

namespace pytoon::media {

enum class VoiceShape {
  kWhole,     // nothing to mend
  kOneSided,  // one channel 20 dB or more below the other: was copied over it
  kInverted,  // the channels cancel out in mono: one was turned over
};

// "" for kWhole; as metadata says it.
constexpr std::string_view name_of(VoiceShape shape) {
  if (shape == VoiceShape::kOneSided) return "one_sided";
  return shape == VoiceShape::kInverted ? "inverted_channel" : "";
}
// Heard on both sides and in mono afterwards. What it was.
VoiceShape mend_voice(Pcm& voice);

}  // namespace pytoon::media
