// A clip's file opened for demuxing: only the demuxer of its container, which check_container()
// found fit; only local files, only the codecs that are taken, only the video track; everything
// else in it is skipped unread.
//
// Thread rule: one thread at a time. Blocks. Errors as in clip_index.h.
#pragma once

#include <filesystem>

#include "pipeline/media/clip/clip_container.h"
#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {

class ClipFile {
 public:
  // A movie or Matroska file.
  static Result<ClipFile> open(const std::filesystem::path& path, ClipContainer container);

  AVFormatContext* file() const { return input_.get(); }
  AVStream* track() const { return input_->streams[track_]; }

  // The next packet of the video track; false at the end. kMalformed for packets that are marked
  // as damaged. Matroska knows only when packets are shown: their decoding time is that, too.
  Result<bool> next(AVPacket* packet);
  // Packets come from the key frame that is decoded at `decoded` (the file's ticks), or one before.
  Status seek(std::int64_t decoded);

 private:
  ClipFile(InputPtr input, int track, ClipContainer container)
      : input_(std::move(input)), track_(track), container_(container) {}

  InputPtr input_;
  int track_;
  ClipContainer container_;
};

// VP8 and VP9 in WebM may have their alpha in a stream of its own beside them.
bool is_coded_with_alpha(const AVStream& track);

Failure damaged_clip(const std::string& where);

}  // namespace pytoon::media
