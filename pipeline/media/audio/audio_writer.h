// The audio of a video, from music and voice to one AAC track in an MP4 of its own, which the
// assembler copies into the video: 48 kHz, stereo, 192 kbit/s, exactly as long as the video.
//
// Music repeats without a seam or is cut, goes down under the voice and fades out; the voice starts
// with the video, is never cut, and is heard on both sides and in mono (voice_shape.h). Integrated
// loudness -14 LUFS, true peaks at most -1 dBTP, both measured on the decoded AAC. Nothing is
// raised by more than 20 dB, so a very quiet source gives a quiet video; silence stays silence.
// Same files and order, same bytes.
//
// Thread rule: any thread. Blocks: 1/12 of the audio's length on one core of 2020, most of it
// encoding and limiting. Memory: 150 MB for a minute.
// Errors: kInvalid (the voice is longer than the video), those of audio_file.h, kCancelled,
// kStorageFull, kIo, kOutOfMemory, kMedia.
#pragma once

#include <filesystem>
#include <optional>

#include "base/cancel.h"
#include "base/result.h"
#include "pipeline/media/audio/voice_shape.h"
#include "pipeline/media/decoder/file_decoder.h"

namespace pytoon::media {

struct AudioOrder {
  std::optional<std::filesystem::path> music;  // one of the two at least
  std::optional<std::filesystem::path> voice;
  double music_level_db = -18;  // relative to a voice or music of equal loudness
  double voice_level_db = -6;
  bool duck_music = true;
  int duration_seconds = 15;
  std::filesystem::path output;  // published atomically
  CancelToken cancel;            // checked every 0.1 s of audio; kCancelled, and no file left
};

// As heard: of the decoded track.
struct AudioMeasures {
  std::optional<double> integrated_lufs;  // none: silence
  std::optional<double> true_peak_dbtp;   // none: digital silence
  double loudness_range_lu = 0;
  double gain_db = 0;   // the last, common gain; limited so that no source is raised by over 20 dB
  bool ducked = false;  // music went down for a voice
  VoiceShape voice_mended = VoiceShape::kWhole;
};

Result<AudioMeasures> write_audio(const AudioOrder& order, FileDecoder& decoder);

}  // namespace pytoon::media
