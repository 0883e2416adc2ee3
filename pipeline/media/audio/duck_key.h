// When somebody speaks: the key signal of the ducking compressor, 1 while music has to be down and
// 0 elsewhere. Being a clean signal, not the voice itself, it makes the depth of the ducking
// independent of how loud the voice was recorded.
//
// A stretch of 10 ms counts as speech when it is at most 20 dB below the voice's integrated
// loudness, and goes on until it is 28 dB below. Pauses up to 450 ms are bridged. The key is
// advanced: it rises 160 ms before speech begins, when the music has time to go down.
//
// Pure. Any thread.
#pragma once

#include "pipeline/media/audio/pcm.h"

namespace pytoon::media {

// As many samples as the voice has, the same in both channels.
Pcm duck_key(const Pcm& voice, double voice_lufs);

}  // namespace pytoon::media
