// Reads the AAC packets of a finished audio back, in order, and checks on the way that the track is
// whole: it begins at 0 and has no gap. Earlier builds hid a packet of priming before 0 by an edit
// list; it is left out here, so that a job's finished audio outlives an update.
//
// Thread rule: one thread at a time. Blocks on the disk. Errors name the file: kNotFound, kIo, and
// kMedia for a file that is torn or no audio of ours.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "pipeline/media/gst/ffmpeg.h"
#include "pipeline/media/gst/mp4_writer.h"

namespace pytoon::media {

class AudioTrack {
 public:
  static Result<std::unique_ptr<AudioTrack>> open(const std::filesystem::path& path);
  // For open().
  AudioTrack(InputPtr input, AacFormat format, PacketPtr first, std::int64_t left_out)
      : input_(std::move(input)),
        format_(std::move(format)),
        next_(std::move(first)),
        read_(left_out) {}

  const AacFormat& format() const { return format_; }
  // pts and duration in samples. Null: it ended.
  Result<PacketPtr> next();

 private:
  Failure damaged(const std::string& how) const;

  InputPtr input_;
  AacFormat format_;
  PacketPtr next_;            // null: it has ended
  std::int64_t read_;         // packets, those left out too
  std::int64_t samples_ = 0;  // given out
};

}  // namespace pytoon::media
