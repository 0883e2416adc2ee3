// Music under a voice: levels, ducking and the fade at the end.
//
// Levels count from the same loudness: before they are applied, music and voice are made equally
// loud, so that music_level_db -18 and voice_level_db -6 mean music 12 LU under the voice however
// the two were recorded. Ducking takes another 12 dB off the music while somebody speaks (FFmpeg's
// side-chain compressor on the key of duck_key.h): down before a word begins, back in 0.3 s. Music,
// never the voice, fades out over the last 1.5 s or the last quarter, whichever is shorter.
//
// Thread rule: any thread. Blocks. Errors: kCancelled, kOutOfMemory, kMedia.
#pragma once

#include <optional>

#include "pipeline/media/audio/loudness.h"
#include "pipeline/media/audio/pcm.h"

namespace pytoon::media {

// All audio have the length of the video. One at least is there.
struct MixParts {
  std::optional<Pcm> music;
  std::optional<Pcm> voice;
  double music_level_db = 0;
  double voice_level_db = 0;
  bool duck_music = true;
};

struct Mix {
  Pcm audio;
  Loudness loudness;    // no true peak
  double gain_db = 0;   // already given to the loudest-raised part
  bool ducked = false;  // a voice was heard and music went down for it
};

Result<Mix> mix_audio(const MixParts& parts, const CancelToken& cancel);

}  // namespace pytoon::media
