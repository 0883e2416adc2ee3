// Reads back what is in a video file of ours: facts by demuxing and decoding every frame, and a
// frame as an image. Used for the thumbnail, to verify segments, and by tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "gpu/image.h"

namespace pytoon::media {

struct VideoFacts {
  std::string codec;         // "h264"
  std::string profile;       // "High"
  std::string pixel_format;  // "yuv420p"
  std::string color_space;   // "bt709" (also primaries and transfer must be)
  gpu::Size size;
  int rate_num = 0;
  int rate_den = 1;
  std::int64_t frames = 0;      // decoded
  double duration_seconds = 0;  // container's
  std::int64_t bytes = 0;
  bool moov_before_mdat = false;
  bool has_audio = false;
};

// Decodes everything; kMedia naming the first decoding error.
Result<VideoFacts> probe_video(const std::filesystem::path& path);
// Frame `index` (or the last, when there are fewer) as an opaque RGBA image, BT.709 to RGB.
Result<gpu::RgbaImage> decode_frame(const std::filesystem::path& path, std::int64_t index);

// A frame that was composed and not encoded, converted alike.
Result<gpu::RgbaImage> image_of(const gpu::HostNv12View& frame);

}  // namespace pytoon::media
