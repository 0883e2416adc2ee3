// A clip's index (clip_index.h) as bytes in shared memory, from the decoder that read it to whoever
// draws, and from there to the decoder that plays it. Its path, format and codec are told beside
// it. Inside the room only. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "pipeline/media/clip/clip_index.h"

namespace pytoon::media {

inline constexpr std::size_t kClipIndexBytesMax = std::size_t{32} << 20;

std::string to_bytes(const ClipIndex& index);
// What a decoder says is checked: all that is computed from an index stays within its bounds.
// Nothing: it can't be one.
std::optional<ClipIndex> clip_index_from(const std::string& bytes);

}  // namespace pytoon::media
