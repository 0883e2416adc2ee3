// pytoonavenc: a GStreamer encoder over VideoEncoder. NV12 in, in the kind of memory that its codec
// takes; H.264 in MP4 form (stream-format=avc) out. The codec reads the frames where they are:
// nothing is copied before it, and a frame in CUDA memory goes back to its pool when the codec lets
// go of it.
//
// Times leave it counted from kTimelineStart, since the first decoding times are negative.
// Thread rule: configure before the pipeline runs.
#pragma once

#include <gst/gst.h>

#include <memory>

#include "base/cancel.h"
#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/gst/video_encoder.h"
#include "pipeline/media/video_format.h"

namespace pytoon::media {

constexpr char kEncoderElement[] = "pytoonavenc";

struct EncoderElementJob {
  VideoFormat format;
  std::unique_ptr<VideoEncoder> encoder;  // opened for that format
  CancelToken cancel;
  std::shared_ptr<FailureSlot> failures;
};

GType encoder_element_get_type();
void configure_encoder_element(GstElement* element, EncoderElementJob job);

}  // namespace pytoon::media
