// A clip's file opened for demuxing: only the MP4/MOV demuxer, only local files, only H.264 and
// HEVC, only the video track; everything else in it is skipped unread.
//
// Thread rule: one thread at a time. Blocks. Errors as in clip_index.h.
#pragma once

#include <filesystem>

#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {

class ClipFile {
 public:
  static Result<ClipFile> open(const std::filesystem::path& path);

  AVFormatContext* file() const { return input_.get(); }
  AVStream* track() const { return input_->streams[track_]; }

  // The next packet of the video track; false at the end. kMalformed for packets that are marked
  // as damaged.
  Result<bool> next(AVPacket* packet);
  // Packets come from the key frame that is decoded at `decoded` (the file's ticks), or one before.
  Status seek(std::int64_t decoded);

 private:
  ClipFile(InputPtr input, int track) : input_(std::move(input)), track_(track) {}

  InputPtr input_;
  int track_;
};

Failure damaged_clip(const std::string& where);

}  // namespace pytoon::media
