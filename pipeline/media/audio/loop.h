// Music made as long as a video: cut, or repeated without a gap or a click where it starts again.
//
// Silence at both ends is left out of a repeated piece. Each repetition begins during the end of
// the one before: over a crossfade of up to a second, placed (by up to 50 ms) where beginning and
// end are most alike. The crossfade keeps the energy: its gains a and b are divided by sqrt(a^2 +
// b^2 + 2abr), r being how much the two parts correlate there, so that unlike parts fade with equal
// power and like ones with equal amplitude, and neither dips nor swells.
//
// Pure. Any thread.
#pragma once

#include "pipeline/media/audio/pcm.h"

namespace pytoon::media {

// Exactly `samples` samples. Silence stays silence.
Pcm looped(Pcm music, std::size_t samples);

}  // namespace pytoon::media
