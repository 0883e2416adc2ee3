// Writes an MP4 through libavformat: moov first, exact timestamps, nothing in it that tells when,
// where or by which version it was made. Same samples, same bytes.
//
// No edit list (`elst`), which Instagram's rules for reels forbid: both tracks begin at 0 by their
// own times. Frames shown out of decoding order have offsets below zero instead (`ctts` version 1),
// and audio comes without its encoder's priming. What would begin before 0 is refused.
//
// Tracks are added first, then samples written in decoding order across all tracks, then finish().
// An object that was not finished leaves a useless file behind: the caller removes it.
//
// Thread rule: one thread at a time. Blocks on the disk. Errors: kStorageFull, kIo, kNotFound (no
// such folder), kMedia.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <vector>

#include "pipeline/media/gst/ffmpeg.h"
#include "pipeline/media/gst/h264_stream.h"
#include "pipeline/media/video_format.h"

namespace pytoon::media {

// AAC-LC.
struct AacFormat {
  int sample_rate = 48'000;
  int channels = 2;
  int bitrate = 0;  // bits a second, nominal
  Bytes config;     // AudioSpecificConfig, ISO/IEC 14496-3 1.6.2.1
};

// Times count the track's ticks: frames for video, samples for audio.
struct Mp4Sample {
  ByteSpan bytes;
  std::int64_t show_at = 0;    // 0 or more
  std::int64_t decode_at = 0;  // strictly increasing within a track; the first's counts as 0
  std::int64_t duration = 1;
  bool key = false;
};

class Mp4Writer {
 public:
  static Result<std::unique_ptr<Mp4Writer>> create(const std::filesystem::path& path);
  // For create(): a context whose file is open.
  explicit Mp4Writer(OutputPtr output) : output_(std::move(output)), packet_(make_packet()) {}

  // The track's number.
  Result<int> add_video(const VideoFormat& format, const ParameterSets& sets);
  Result<int> add_audio(const AacFormat& format);
  Status write(int track, const Mp4Sample& sample);
  Status finish();

  // How many ticks of `track` a running time is, to the nearest.
  std::int64_t ticks(int track, std::int64_t nanoseconds) const;

 private:
  struct Track {
    AVRational tick;                                                  // seconds
    std::int64_t decoded = std::numeric_limits<std::int64_t>::min();  // the last sample's time
  };

  Result<AVStream*> add_stream(AVMediaType type, const Bytes& config);
  Status begin();
  AVStream* stream(int track) const { return output_->streams[track]; }

  OutputPtr output_;
  PacketPtr packet_;
  std::vector<Track> tracks_;
  bool begun_ = false;
};

}  // namespace pytoon::media
