// Which kind of file a clip is, judged by its bytes, and whether its structure keeps to bounds
// within which a demuxer may be trusted with it.
//
// Thread rule: any thread. Blocks on small reads all over the file.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace pytoon::media {

enum class ClipContainer {
  kMovie,     // MP4 and MOV: movie_boxes.h
  kMatroska,  // WebM and MKV: matroska_elements.h
  kGif,       // these three: animation.h
  kApng,
  kWebp,
};

struct ClipFormat {
  ClipContainer container = ClipContainer::kMovie;
  std::string name;  // "mp4", "mov", "webm", "mkv", "gif", "apng", "webp"
};

inline bool is_animation(ClipContainer container) {
  return container == ClipContainer::kGif || container == ClipContainer::kApng ||
         container == ClipContainer::kWebp;
}

// Of an animation only its first bytes are looked at. kUnsupportedType for other bytes; kMalformed
// and kInvalid as the checks of each kind say.
Result<ClipFormat> check_container(const std::filesystem::path& path);

}  // namespace pytoon::media
