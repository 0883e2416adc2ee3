// Says in a clip by which matrix its colours were coded, where it does not say so itself and its
// maker is known: an untagged clip is a guess by size for everybody who reads it (clip_colours.h).
//
// Thread rule: any thread. Blocks on the disk. Errors: kMalformed, kMedia, kIo, kStorageFull,
// kOutOfMemory; the file is then as it was.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace pytoon::media {

// What an untagged clip of a certain maker means.
enum class UnsaidMatrix {
  kBySize,  // nothing is known: as players guess
  kBt601,   // at any size
};

// A tagged clip stays as it is, and so does an animation, whose colours are RGB. An untagged one is
// written anew, an MP4 or MOV as such and a WebM or Matroska as such, with its video track alone:
// its coded frames as they are, alpha included, no audio and no notes of its maker.
Status tag_matrix(const std::filesystem::path& clip, UnsaidMatrix matrix);

}  // namespace pytoon::media
