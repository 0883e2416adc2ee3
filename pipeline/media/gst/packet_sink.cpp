#include "pipeline/media/gst/packet_sink.h"

#include <gst/base/gstbasesink.h>

#include <utility>

#include "pipeline/media/gst/element_type.h"
#include "pipeline/media/gst/ffmpeg.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/h264_caps.h"

namespace pytoon::media {
namespace {

struct PacketSinkState {
  PacketSinkJob job;
};

using Type = ElementType<GstBaseSink, GstBaseSinkClass, PacketSinkState>;

PacketSinkState& state_of(gpointer element) { return Type::state_of(element); }

// The encoder's times are whole frames, counted from kTimelineStart and rounded down.
std::int64_t frames_at(GstClockTime time, int frames_per_second) {
  const auto since = static_cast<std::int64_t>(time) - static_cast<std::int64_t>(kTimelineStart);
  return av_rescale_q(since, {1, 1'000'000'000}, {1, frames_per_second});
}

Status keep(PacketSinkState& state, GstBuffer* buffer) {
  if (!GST_BUFFER_PTS_IS_VALID(buffer) || !GST_BUFFER_DTS_IS_VALID(buffer)) {
    return failure(FailureKind::kMedia, "an access unit came without its times");
  }
  const int fps = state.job.frames_per_second;
  EncodedFrame frame{.bytes = Bytes(gst_buffer_get_size(buffer)),
                     .show_at = frames_at(GST_BUFFER_PTS(buffer), fps),
                     .decode_at = frames_at(GST_BUFFER_DTS(buffer), fps)};
  gst_buffer_extract(buffer, 0, frame.bytes.data(), frame.bytes.size());
  state.job.frames->push_back(std::move(frame));
  return ok_status();
}

GstFlowReturn render(GstBaseSink* base, GstBuffer* buffer) {
  GstElement* element = GST_ELEMENT(base);
  PacketSinkState& state = state_of(base);
  return contained(element, *state.job.failures, kFlowFailed, [&] {
    const Status kept = keep(state, buffer);
    if (kept) return GST_FLOW_OK;
    fail_element(element, *state.job.failures, kept.failure());
    return kFlowFailed;
  });
}

void set_up_class(GstElementClass* type) {
  add_pad_template(type, "sink", GST_PAD_SINK, GST_PAD_ALWAYS, kH264Caps);
  gst_element_class_set_static_metadata(type, "Pytoon packet sink", "Sink/Video",
                                        "Keeps the packets of a piece", "Pytoon");
  GST_BASE_SINK_CLASS(type)->render = render;
}

// Packets are taken as fast as they come, and none is kept for a later look.
void set_up(GstBaseSink* sink) {
  gst_base_sink_set_sync(sink, FALSE);
  gst_base_sink_set_last_sample_enabled(sink, FALSE);
}

}  // namespace

GType packet_sink_get_type() {
  static const GType type =
      Type::define<set_up_class, set_up>("PytoonPacketSink", GST_TYPE_BASE_SINK);
  return type;
}

void configure_packet_sink(GstElement* element, PacketSinkJob job) {
  state_of(element).job = std::move(job);
}

}  // namespace pytoon::media
