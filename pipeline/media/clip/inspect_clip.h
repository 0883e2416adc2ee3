// Takes a clip's measure before it is accepted.
//
// Thread rule: any thread. Blocks on decoding: every frame of a clip of usual size; of a large one
// as many as 2^31 pixels hold (1,035 at 1920x1080), then its key frames. Errors as in clip_index.h.
#pragma once

#include <filesystem>

#include "base/result.h"
#include "pipeline/media/media_info.h"

namespace pytoon::media {

Result<MediaInfo> inspect_clip(const std::filesystem::path& path);

}  // namespace pytoon::media
