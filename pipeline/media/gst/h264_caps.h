// H.264 between our elements: one access unit a buffer, lengths before NAL units, parameter sets in
// the caps alone (ISO/IEC 14496-15).
#pragma once

#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/h264_stream.h"

namespace pytoon::media {

inline constexpr const char* kH264Caps = "video/x-h264,stream-format=avc,alignment=au";

// Those of one stream.
inline GstPtr<GstCaps> h264_caps(const ParameterSets& sets) {
  const Bytes avcc = make_avcc(sets);
  const GstPtr<GstBuffer> codec_data(gst_buffer_new_memdup(avcc.data(), avcc.size()));
  GstPtr<GstCaps> caps(gst_caps_from_string(kH264Caps));
  gst_caps_set_simple(caps.get(), "codec_data", GST_TYPE_BUFFER, codec_data.get(), nullptr);
  return caps;
}

}  // namespace pytoon::media
