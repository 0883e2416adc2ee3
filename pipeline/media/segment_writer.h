// Encodes the frames of one segment into a valid MP4: H.264 High yuv420p BT.709, one closed GOP
// sequence, moov first, no wall-clock time in it. Same frames and settings, same bytes.
//
// A GStreamer pipeline built in code: our compositor source (pushes NV12), a short queue, our
// encoder over libavcodec, h264parse, our muxer over libavformat. kEncoder when a hardware encoder
// can't be had or fails: the same order with x264 may do.
//
// Thread rule: calls on different objects may run in parallel. Blocks until written.
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
#include "pipeline/media/video_format.h"

namespace pytoon::media {

// Draws the frames of a segment, 0-based. Called in order from one thread.
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
};

// What an encoder that takes CUDA frames goes round with: how many frames of a pool of fixed size,
// when that many are drawn at once, and about how many bytes each.
int cuda_frames_of(const EncoderSettings& encoder, int batch_frames);
std::uint64_t cuda_frame_bytes(gpu::Size size);

Status write_segment(FrameSource& frames, const SegmentOrder& order);

}  // namespace pytoon::media
