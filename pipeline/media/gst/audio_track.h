// Reads the AAC packets of a finished audio back, in order, and checks on the way that the track is
// whole: no gap, and a first packet that tells the priming by its time.
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
  AudioTrack(InputPtr input, AacFormat format, PacketPtr first)
      : input_(std::move(input)), format_(std::move(format)), next_(std::move(first)) {}

  const AacFormat& format() const { return format_; }
  // pts and duration in samples, pts counted from the first sample of the priming. Null: it ended.
  Result<PacketPtr> next();

 private:
  Failure damaged(const std::string& how) const;

  InputPtr input_;
  AacFormat format_;
  PacketPtr next_;            // null: it has ended
  std::int64_t read_ = 0;     // packets
  std::int64_t samples_ = 0;  // of them
};

}  // namespace pytoon::media
