// Audio files that users send: what they are, and their samples.
//
// Takes MP3, WAV (PCM of any depth), AAC and M4A, FLAC, OGG (Vorbis, Opus), 1 to 8 channels, 8 to
// 192 kHz. Errors are those of AudioDecoder, and kMalformed for a file that is cut or damaged or
// has nothing in it, kInvalid for one that is too long.
//
// Thread rule: any thread. Blocks on the disk and on decoding (200 times faster than it plays).
#pragma once

#include <cstddef>
#include <filesystem>

#include "base/cancel.h"
#include "base/result.h"
#include "pipeline/media/audio/pcm.h"
#include "pipeline/media/media_info.h"

namespace pytoon::media {

inline constexpr int kAudioSecondsMax = 15 * 60;

// Decodes all of it to be sure.
Result<MediaInfo> inspect_audio(const std::filesystem::path& file);

// Its first `samples_max` samples as stereo at 48 kHz; what is damaged is left out. More channels
// are mixed down as ITU-R BS.775 says, without the effects channel.
Result<Pcm> read_audio(const std::filesystem::path& file, std::size_t samples_max,
                       const CancelToken& cancel);

}  // namespace pytoon::media
