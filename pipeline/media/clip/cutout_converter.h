// A decoder's frame with alpha -> 8-bit RGB with straight alpha, upright, as large as it is stored.
// Its colours mean what they mean without alpha: clip_colours.h.
//
// Thread rule: one thread at a time. Errors: kOutOfMemory, kMedia.
#pragma once

#include <memory>

#include "gpu/image.h"
#include "pipeline/media/clip/frame_filter.h"
#include "pipeline/media/clip/rotation.h"

namespace pytoon::media {

class CutoutConverter {
 public:
  explicit CutoutConverter(const Rotation& rotation) : rotation_(rotation) {}

  Result<gpu::RgbaImage> convert(const AVFrame& frame);

 private:
  const Rotation rotation_;
  std::unique_ptr<FrameFilter> filter_;  // for frames of one form, and one meaning
  std::string chain_;
};

}  // namespace pytoon::media
