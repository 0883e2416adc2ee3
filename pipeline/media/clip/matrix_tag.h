// Says in a clip by which matrix its colours were coded, where it does not say so itself and its
// maker is known: an untagged clip is a guess by size for everybody who reads it (clip_colours.h).
//
// Thread rule: any thread. Blocks on the disk. Errors: kMalformed, kMedia, kIo, kOutOfMemory.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"

namespace pytoon::media {

// What an untagged clip of a certain maker means.
enum class UnsaidMatrix {
  kBySize,  // nothing is known: as players guess
  kBt601,   // at any size
};

// The clip's bytes, written anew, an MP4 or MOV as such and a WebM or Matroska as such, with its
// video track alone: its coded frames as they are, alpha included, no audio and no notes of its
// maker. Nothing: it may stay as it is, being tagged, or an animation, whose colours are RGB.
Result<std::optional<std::string>> tagged_clip(const std::filesystem::path& clip,
                                               UnsaidMatrix matrix);

}  // namespace pytoon::media
