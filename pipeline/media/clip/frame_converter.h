// A decoder's frame in host memory -> NV12 as gpu/image.h has it: 8-bit 4:2:0, BT.709 limited
// range, left-sited chroma, upright. Takes any depth, subsampling, range and matrix that H.264 and
// HEVC have. A frame much larger than it is going to be shown is scaled to that size, since the
// compositor averages nothing.
//
// What its colours mean is told in clip_colours.h; plain ones go through libswscale, wide gamuts,
// HDR and 4:2:0 whose chroma is not at the left through zimg.
//
// Thread rule: one thread at a time. Frames it gave stay valid after it has gone. Errors:
// kOutOfMemory, kMedia; kMalformed for a frame that its memory has no room for.
#pragma once

#include <memory>

#include "gpu/image.h"
#include "pipeline/media/clip/frame_filter.h"
#include "pipeline/media/clip/frame_memory.h"
#include "pipeline/media/clip/frame_size.h"
#include "pipeline/media/clip/rotation.h"
#include "pipeline/media/gst/ffmpeg.h"

namespace pytoon::media {

class FrameConverter {
 public:
  // shown: px that the upright whole takes up where it is drawn.
  FrameConverter(const Rotation& rotation, gpu::Size shown, std::shared_ptr<FrameMemory> memory);

  Result<gpu::Nv12Frame> convert(const AVFrame& frame);

 private:
  Status prepare(const AVFrame& frame);
  Status prepare_scaler(const AVFrame& frame, gpu::Size stored);
  Result<const AVFrame*> planar(const AVFrame& frame);
  bool prepared_for(const AVFrame& frame) const;

  const Rotation rotation_;
  const gpu::Size shown_;  // along the stored axes
  const std::shared_ptr<FrameMemory> memory_;
  // For one kind of source; neither a scaler nor a filter where that is as wanted already.
  FramePtr kind_ = make_frame();  // that kind; no data
  std::unique_ptr<FrameFilter> colours_;
  ScalerPtr scaler_;
  FramePtr scaled_ = make_frame();
};

}  // namespace pytoon::media
