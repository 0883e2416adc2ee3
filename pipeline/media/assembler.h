// Joins finished segments into one MP4 by copying their packets: no decoding, no encoding. Exact
// timestamps (frame n at n/fps, start 0), moov before mdat, no wall-clock time. Audio made by
// write_audio becomes the second track and starts with the first frame; without one the bytes are
// those of a video alone.
// kMedia when the segments' parameter sets differ, kNotFound when one is missing, kStorageFull,
// kIo; kCancelled by the token. Nothing is left at `output` then.
//
// Thread rule: any thread, several at once. Blocks on the disk: some 0.1 s for a minute of video;
// memory does not grow with the length.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/cancel.h"
#include "base/result.h"
#include "pipeline/media/video_format.h"

namespace pytoon::media {

struct AssemblyOrder {
  VideoFormat format;
  std::vector<std::filesystem::path> segments;
  std::optional<std::filesystem::path> audio;
  std::filesystem::path output;  // published atomically
  CancelToken cancel;
};

Status assemble(const AssemblyOrder& order);

}  // namespace pytoon::media
