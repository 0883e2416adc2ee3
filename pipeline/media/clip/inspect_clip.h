// Takes a clip's measure before it is accepted.
//
// Thread rule: any thread. Blocks on decoding: every frame of a clip of usual size; of a large one
// as many as 2^31 pixels hold (1,035 at 1920x1080), then its key frames. Errors as in clip_index.h.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "gpu/image.h"

namespace pytoon::media {

struct ClipFacts {
  std::string format;  // "mp4", "mov"
  std::string codec;   // "h264", "hevc"
  gpu::Size size;      // px, upright, with square pixels
  double duration_seconds = 0;
};

Result<ClipFacts> inspect_clip(const std::filesystem::path& path);

}  // namespace pytoon::media
