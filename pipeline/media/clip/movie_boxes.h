// A first look at a movie file by our own eyes, before a demuxer is trusted with it: is it one, of
// which kind, and does its index claim more than any clip we take can have? A few bytes of a box
// may claim billions of entries, for which a demuxer would make room.
//
// Thread rule: any thread. Blocks on a few small reads. Source: ISO/IEC 14496-12 sections 4.2, 8.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pytoon::media {

// "mp4" or "mov". kUnsupportedType for other bytes, kMalformed for a file cut off before its index
// or with boxes that don't fit into each other, kInvalid for claims beyond all bounds.
Result<std::string> check_movie_boxes(const std::filesystem::path& path);

}  // namespace pytoon::media
