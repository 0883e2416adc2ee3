// Decodes the video track of an MP4, frame by frame, in the order they are shown. Stops at the
// first thing the decoder finds wrong, or at bytes that are missing.
//
// Thread rule: one thread at a time. Blocks. Errors: kNotFound, kIo, kMedia naming the frame.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {

class VideoReader {
 public:
  static Result<std::unique_ptr<VideoReader>> open(const std::filesystem::path& path);
  // For open().
  VideoReader(InputPtr input, CodecPtr codec, int track);

  // Moves to a key frame at or before frame `index`, counted at the track's frame rate; from there
  // on only frames that others refer to come until that one. Call before the first next().
  Status seek_before(std::int64_t index);
  // The next frame, valid until the next call; null after the last.
  Result<const AVFrame*> next();

  const AVFormatContext& file() const { return *input_; }
  const AVStream& track() const { return *input_->streams[track_]; }
  const AVCodecContext& codec() const { return *codec_; }
  // When frame `index` is shown, in the track's time base.
  std::int64_t time_of(std::int64_t index) const;

 private:
  Status feed();
  Failure broken(int error) const;

  InputPtr input_;
  CodecPtr codec_;
  int track_;
  PacketPtr packet_ = make_packet();
  FramePtr frame_ = make_frame();
  std::int64_t packets_ = 0;
  std::int64_t frames_ = 0;
  bool from_start_ = true;
  std::optional<std::int64_t> wanted_from_;  // in the track's time base
};

}  // namespace pytoon::media
