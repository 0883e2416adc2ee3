// Plays a clip: any of its frames as a device can take it up. Going forward frame by
// frame is cheap; going back, or far ahead, begins at the key frame before.
//
// On the CPU device frames are decoded in software into host memory. A CUDA device that lends its
// context gets frames decoded by the card (NVDEC), sampled where they lie, if the clip is 8-bit
// 4:2:0 in BT.709 limited range and not turned; any other clip, and any card that can't, gives host
// frames, and a line in the log says why. Frames of the card are written on its context's default
// stream; at most kSurfacesHeld of them may be held at a time.
//
// A clip through which the ground shows (ClipIndex::has_alpha) is asked for cutouts instead.
//
// Only the video: a clip's audio is never read.
//
// Thread rule: one thread at a time; frames may be kept and used by others. Blocks on decoding,
// checks the CancelToken at every packet. Errors: kMalformed (near which second), kNotFound, kIo,
// kOutOfMemory, kCancelled.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "gpu/device.h"
#include "pipeline/media/clip/clip_index.h"

namespace pytoon::media {

class FrameConverter;

struct ClipOrder {
  std::shared_ptr<const ClipIndex> clip;
  gpu::Size shown;                       // px that the upright whole takes up where it is drawn
  std::optional<gpu::CudaHandles> cuda;  // of the device that draws it
  CancelToken cancel;
};

class ClipSource {
 public:
  // Opens nothing yet: that is the first frame()'s.
  explicit ClipSource(ClipOrder order);
  ~ClipSource();
  ClipSource(const ClipSource&) = delete;
  ClipSource& operator=(const ClipSource&) = delete;

  // Frame `index` of the clip's times. What the data lacks is filled by the frame before.
  Result<gpu::Nv12Frame> frame(std::size_t index);
  // The same frame in RGB with straight alpha, upright, as large as it is stored.
  Result<gpu::RgbaImage> cutout(std::size_t index);
  // The frame shown at n / per_second seconds; after the end the last.
  Result<gpu::Nv12Frame> frame_at(std::int64_t n, int per_second) {
    return frame(clip_->times.held(n, per_second));
  }

 private:
  struct State;  // FFmpeg's side

  Result<gpu::Nv12Frame> find(std::size_t index);
  Status reach(std::int64_t wanted);
  Status open(bool hardware);
  Status begin_before(std::int64_t wanted);
  Status advance(std::int64_t wanted);
  Result<gpu::Nv12Frame> frame_of_held();
  void use_software(const std::string& why);

  const std::shared_ptr<const ClipIndex> clip_;
  const ClipOrder order_;
  std::unique_ptr<State> state_;
};

// One of a clip's frames, upright, with square pixels, and with its alpha.
Result<gpu::RgbaImage> image_of_clip(const std::shared_ptr<const ClipIndex>& clip,
                                     std::size_t frame);
// Its first.
Result<gpu::RgbaImage> first_frame(const std::shared_ptr<const ClipIndex>& clip);

}  // namespace pytoon::media
