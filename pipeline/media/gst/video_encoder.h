// H.264 through libavcodec, with nothing left to a default that could differ between machines.
//
// Takes NV12 frames in order: in system memory, or for NVENC in CUDA memory, where it reads them in
// place and holds on to them for a while. Gives access units in decoding order, in MP4 form
// (lengths, no parameter sets in them). The decoding time of unit n is n - reorder_frames() frames,
// whatever its kind, so that pieces of any length can be joined.
//
// Thread rule: one thread at a time per object. send() and receive() block while the codec works.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/media/gst/ffmpeg.h"
#include "pipeline/media/gst/h264_stream.h"
#include "pipeline/media/video_format.h"

namespace pytoon::media {

using NamedValues = std::vector<std::pair<std::string, std::string>>;

// All options handed to the codec, in order: what fingerprint() lists and open() applies.
// kMedia for a codec that we can't drive.
Result<NamedValues> encoder_options(const EncoderSettings& settings);

// Packets leave NVENC this many frames late, so that it and the compositor overlap.
inline constexpr int kNvencDelayFrames = 4;
// At most how many frames of its input an encoder holds on to: the pool they come from needs more.
int frames_held(const EncoderSettings& settings);

struct AccessUnit {
  ByteSpan bytes;  // valid until the next call
  std::int64_t frame = 0;
  std::int64_t decode_at = 0;  // frames; negative before the first frame is shown
  bool key = false;
};

class VideoEncoder {
 public:
  // cuda_frames: the frames context of what send() will get, for a codec that takes CUDA frames.
  // kInvalid for a format that the pinned H.264 level does not allow; kUnavailable when the card
  // has no session free; else kEncoder for a hardware encoder, kMedia for x264.
  static Result<std::unique_ptr<VideoEncoder>> open(const VideoFormat& format,
                                                    const EncoderSettings& settings,
                                                    AVBufferRef* cuda_frames = nullptr);
  // For open(): an opened codec and what it said its parameter sets are.
  VideoEncoder(CodecPtr codec, ParameterSets sets, FailureKind trouble);

  const ParameterSets& sets() const { return sets_; }
  int reorder_frames() const { return codec_->has_b_frames; }
  // Null for system memory. send() gets frames that carry a reference to it.
  AVBufferRef* cuda_frames() const { return codec_->hw_frames_ctx; }

  // `frame` carries its index as pts; null says that no more will come.
  Status send(const AVFrame* frame);
  // The next finished unit; frame < 0 when there is none for now.
  Result<AccessUnit> receive();

 private:
  Failure failed(int rc, const std::string& what) const;

  CodecPtr codec_;
  ParameterSets sets_;
  FailureKind trouble_;  // what kind it is when the codec fails
  PacketPtr packet_;
  Bytes unit_;
  std::int64_t units_ = 0;
};

}  // namespace pytoon::media
