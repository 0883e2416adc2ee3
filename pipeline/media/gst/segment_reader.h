// Reads the packets of one finished segment back, in decoding order, and checks on the way that the
// segment is whole: every frame once, on exact frame times, starting with a key frame. Decoding
// times are counted, not read: a file without an edit list can't say how far decoding runs ahead,
// and it has to be the same for all segments of a video.
//
// Thread rule: one thread at a time. Blocks on the disk. Errors name the file: kNotFound, kIo, and
// kMedia for a file that is torn or not a segment of this format.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "pipeline/media/gst/ffmpeg.h"
#include "pipeline/media/gst/h264_stream.h"
#include "pipeline/media/video_format.h"

namespace pytoon::media {

struct SegmentPacket {
  PacketPtr packet;            // null: the segment has ended
  std::int64_t show_at = 0;    // frames
  std::int64_t decode_at = 0;  // frames
};

class SegmentReader {
 public:
  static Result<std::unique_ptr<SegmentReader>> open(const std::filesystem::path& path,
                                                     const VideoFormat& format);
  // For open().
  SegmentReader(InputPtr input, ParameterSets sets, const VideoFormat& format);

  const ParameterSets& sets() const { return sets_; }
  std::int64_t frames() const { return static_cast<std::int64_t>(seen_.size()); }

  Result<SegmentPacket> next();

 private:
  Result<SegmentPacket> place(PacketPtr packet);
  Failure damaged(const std::string& how) const;

  InputPtr input_;
  ParameterSets sets_;
  VideoFormat format_;
  std::vector<bool> seen_;  // by frame
  std::int64_t read_ = 0;
};

}  // namespace pytoon::media
