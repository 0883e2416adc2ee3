// pytoonavenc: a GStreamer encoder over VideoEncoder. NV12 in system memory in, H.264 in MP4 form
// (stream-format=avc) out. The codec reads the frames where they are; nothing is copied before it.
//
// Times leave it counted from kTimelineStart, since the first decoding times are negative.
// Thread rule: configure before the pipeline runs.
#pragma once

#include <gst/gst.h>

#include <memory>

#include "base/cancel.h"
#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/video_format.h"

namespace pytoon::media {

constexpr char kEncoderElement[] = "pytoonavenc";

struct EncoderElementJob {
  VideoFormat format;
  EncoderSettings settings;
  CancelToken cancel;
  std::shared_ptr<FailureSlot> failures;
};

GType encoder_element_get_type();
void configure_encoder_element(GstElement* element, EncoderElementJob job);

}  // namespace pytoon::media
