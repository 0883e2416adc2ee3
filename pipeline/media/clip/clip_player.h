// Plays a clip: any of its frames as a device can take it up. Going forward frame by frame is
// cheap; going back, or far ahead, begins at the key frame before.
//
// A clip through which the ground shows (ClipIndex::has_alpha) is asked for cutouts instead.
//
// Only the video: a clip's audio is never read.
//
// Thread rule: one thread at a time; frames may be kept and used by others, also after the player
// has gone. Blocks on decoding; hears the CancelToken. Errors: kMalformed (near which second),
// kNotFound, kIo, kOutOfMemory, kCancelled, and what FileDecoder says of decoders that broke. After
// a Failure it may be asked again.
#pragma once

#include <memory>

#include "base/cancel.h"
#include "base/result.h"
#include "gpu/image.h"
#include "pipeline/media/clip/clip_index.h"
#include "pipeline/media/clip/frame_memory.h"

namespace pytoon::media {

struct ClipOrder {
  std::shared_ptr<const ClipIndex> clip;
  gpu::Size shown;  // px that the upright whole takes up where it is drawn
  CancelToken cancel;
  std::shared_ptr<FrameMemory> memory = nullptr;  // of frames in host memory; null: the heap
};

class ClipPlayer {
 public:
  virtual ~ClipPlayer() = default;

  // Frame `index` of the clip's times. What the data lacks is filled by the frame before.
  virtual Result<gpu::Nv12Frame> frame(std::size_t index) = 0;
  // The same frame in RGB with straight alpha, upright, as large as it is stored.
  virtual Result<gpu::RgbaImage> cutout(std::size_t index) = 0;
};

}  // namespace pytoon::media
