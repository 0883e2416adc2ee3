// A first look at an MP4 or MOV file, with video or with audio alone (M4A), before a demuxer is
// trusted with it: is it one, of which kind, and does its index claim more than the file can hold
// or any file we take needs? A few bytes of a box may claim billions of samples, for which a
// demuxer would make room. Tables count wherever a demuxer would find them, also where none
// belongs.
//
// Thread rule: any thread. Blocks on a few small reads. Source: ISO/IEC 14496-12 sections 4.2, 8.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pytoon::media {

// Of a clip: "mp4" or "mov". kUnsupportedType for other bytes, kMalformed for a file cut off before
// its index or with boxes that don't fit into each other, kInvalid for claims beyond all bounds.
Result<std::string> check_movie_boxes(const std::filesystem::path& path);

// The same of audio in such a file, with as many samples as 15 minutes need. Which file it is and
// whether it is whole, its demuxer says.
Status check_audio_boxes(const std::filesystem::path& path);

}  // namespace pytoon::media
