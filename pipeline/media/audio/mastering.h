// The last step: a mix brought to a loudness, its true peaks under a ceiling.
//
// The gain is linear. Peaks are limited at 192 kHz, where they show (FFmpeg's limiter looks at
// samples only); its delay of 5 ms is taken out again. Limiting makes audio a little quieter, so
// the gain is corrected until the loudness is right.
//
// Why not loudnorm: asked for a linear gain it falls back to a changing one without a word, and it
// takes four times as long.
//
// Thread rule: any thread. Blocks. Errors: kCancelled, kOutOfMemory, kMedia.
#pragma once

#include "pipeline/media/audio/loudness.h"
#include "pipeline/media/audio/pcm.h"

namespace pytoon::media {

inline constexpr double kTargetLufs = -14;
inline constexpr double kPeakMaxDbtp = -1;
// No source is raised by more: noise of a very quiet recording stays noise.
inline constexpr double kGainMaxDb = 20;

struct MasterOrder {
  double target_lufs = kTargetLufs;
  double ceiling_dbtp = kPeakMaxDbtp;
  double gain_max_db = kGainMaxDb;
};

struct Master {
  Pcm audio;
  double gain_db = 0;
};

// lufs: of the mix; one that has none stays as it is.
Result<Master> master_audio(const Pcm& mix, std::optional<double> lufs, const MasterOrder& order,
                            const CancelToken& cancel);

}  // namespace pytoon::media
