// Which kind of audio file this is, from its first bytes. The name and what a client says about it
// do not count.
//
// Sources: RIFF/WAVE and EBU Tech 3306 (RF64), ID3v2.4 section 3.1, ISO/IEC 11172-3 2.4.2.3 (MPEG
// audio sync), ISO/IEC 14496-3 1.A.2 (ADTS), the FLAC and Ogg (RFC 3533) signatures, ISO/IEC
// 14496-12 4.3 (ftyp), AIFF-C (1991), Apple's Core Audio Format 1.0, RFC 8794 (EBML: Matroska,
// WebM).
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pytoon::media {

struct AudioFormat {
  std::string name;  // "mp3", "wav", "aac", "m4a", "flac", "ogg", "aiff", "caf", "webm", "mka"; its
                     // extension
  std::string demuxer;  // FFmpeg's name for it
  // MPEG, Ogg and Matroska need no index: they may carry junk between frames, and a cut one is
  // shorter, not broken.
  bool streamed = false;
  // A WAV whose size is a placeholder: it lasts until the file ends.
  bool endless = false;
};

// kUnsupportedType for anything else, kMalformed for an empty file, kNotFound, kIo.
Result<AudioFormat> audio_format_of(const std::filesystem::path& file);

}  // namespace pytoon::media
