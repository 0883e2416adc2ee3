// What an inspected media file is: the one description of an image, clip or audio file from the
// probe to the database and the API. Filled in whole by inspect_image(), inspect_clip() and
// inspect_audio() after they decoded the file; members that a kind of file does not have keep the
// values below.
//
// Thread rule: a value.
#pragma once

#include <string>

#include "gpu/image.h"

namespace pytoon::media {

struct MediaInfo {
  std::string format;           // "png", "jpeg", ...; "mp4", "webm", "gif", ...; "mp3", "wav", ...
  std::string codec;            // of clips: "h264", "vp9", "gif", ...; else empty
  gpu::Size size;               // px, upright, with square pixels; 0x0 for audio
  bool has_alpha = false;       // of images and clips
  double duration_seconds = 0;  // of clips and audio, as decoded; 0 for images
  int channels = 0;             // of audio
  int sample_rate = 0;          // Hz, of audio
};

}  // namespace pytoon::media
