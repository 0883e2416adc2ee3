// What a clip file is, found by reading its structure and the head of every packet, without
// decoding: made once, shared by all who play the clip.
//
// Refused, with words for the client: kUnsupportedType (other bytes, another codec), kMalformed
// (cut off, damaged), kInvalid (no video track, encrypted, too long, too many pixels, Dolby
// Vision without a layer that others can read), kTooLarge. Never opens another file or a network
// address that the clip may name.
//
// Thread rule: immutable once made. index_clip() blocks on reading the file once.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "gpu/image.h"
#include "pipeline/media/clip/clip_container.h"
#include "pipeline/media/clip/clip_times.h"
#include "pipeline/media/clip/rotation.h"

namespace pytoon::media {

inline constexpr int kClipSecondsMax = 120;
inline constexpr std::int64_t kClipBytesMax = 300'000'000;
inline constexpr int kClipEdgeMaxPx = 4096;
inline constexpr int kClipEdgeMinPx = 16;
inline constexpr int kClipRateMax = 240;  // frames a second, over the whole clip

// Where decoding can begin. Frames shown before a key frame but stored after it are not whole when
// decoding begins there.
struct KeyFrame {
  std::int64_t shown = 0;    // in the file's ticks
  std::int64_t decoded = 0;  // likewise
};

struct ClipIndex {
  std::filesystem::path path;
  ClipContainer container = ClipContainer::kMovie;
  std::string format;      // as ClipFormat names it
  std::string codec;       // "h264", "hevc", "vp8", "vp9", "av1", "prores", "gif", "apng", "webp"
  gpu::Size stored;        // px, as the file keeps it
  gpu::Size upright;       // px, turned and with square pixels: what people see
  bool has_alpha = false;  // the ground shows through: its frames are cutouts (clip_source.h)
  Rotation rotation;
  ClipTimes times;
  std::int64_t first_shown = 0;      // the file's tick of times.starts[0]
  std::vector<KeyFrame> key_frames;  // in the order they are stored
};

Result<std::shared_ptr<const ClipIndex>> index_clip(const std::filesystem::path& path);

}  // namespace pytoon::media
