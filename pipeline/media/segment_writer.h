// Encodes the frames of one segment into a valid MP4: H.264 High yuv420p BT.709, closed GOP
// sequences, moov first, no wall-clock time in it. Same frames and settings, same bytes.
//
// The segment is encoded in pieces (pieces.h), wherever the executor has them encoded; each is a
// GStreamer pipeline of its own (gst/piece_encoder.h), and they are joined in order. Neither the
// number of threads nor the order in which pieces end is in the bytes.
//
// Thread rule: any thread, several segments at once. Blocks until written. Errors: those of the
// frames; kCancelled; kEncoder when a hardware encoder can't be had or fails: the same order with
// x264 may do; kMedia, kStorageFull, kIo, kNotFound (no such folder), kOutOfMemory, kInvalid.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

#include "base/cancel.h"
#include "base/result.h"
#include "gpu/image.h"
#include "pipeline/media/cuda_bridge.h"
#include "pipeline/media/piece_executor.h"
#include "pipeline/media/video_format.h"

namespace pytoon::media {

// Draws frames of a segment, counted from its first. Called in order, from one thread at a time; a
// piece that breaks the bitrate cap is drawn a second time.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  virtual Status draw(int index, const gpu::Nv12Target& target) = 0;

  // How many frames at once this source likes to draw: 1 to gpu::kBatchFramesMax. Constant.
  virtual int batch_frames() const { return 1; }
  // Draws frame first + i into targets[i], at most batch_frames() of them; one by one unless a
  // source knows better.
  virtual Status draw_batch(int first, std::span<const gpu::Nv12Target> targets) {
    for (const gpu::Nv12Target& target : targets) {
      const Status drawn = draw(first++, target);
      if (!drawn) return drawn;
    }
    return ok_status();
  }
};

struct SegmentOrder {
  VideoFormat format;
  EncoderSettings encoder;
  // For an encoder that takes CUDA frames: draw() then gets CudaNv12View, and the segment waits for
  // one of the bridge's sessions. Every other encoder draws into HostNv12View.
  std::shared_ptr<CudaBridge> cuda;
  int frame_count = 0;
  std::filesystem::path output;          // written under a temporary name, then published
  CancelToken cancel;                    // checked every batch; kCancelled, and no file left
  std::function<void(int)> on_progress;  // frames drawn so far; may be empty; must be quick
  int pieces_at_once = 0;                // the most in work together; 0: no limit
};

// What an encoder that takes CUDA frames goes round with: how many frames of a pool of fixed size,
// when that many are drawn at once, and about how many bytes each.
int cuda_frames_of(const EncoderSettings& encoder, int batch_frames);
std::uint64_t cuda_frame_bytes(gpu::Size size);

// Makes what draws the frames of one piece; called on the thread that encodes it. The token is
// cancelled when the piece is not wanted any more.
using FrameSourceMaker = std::function<std::shared_ptr<FrameSource>(const CancelToken&)>;

Status write_segment(const FrameSourceMaker& make_frames, const SegmentOrder& order,
                     PieceExecutor& executor);
// All pieces in turn on the calling thread, from one source.
Status write_segment(FrameSource& frames, const SegmentOrder& order);

}  // namespace pytoon::media
