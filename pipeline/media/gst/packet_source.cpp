#include "pipeline/media/gst/packet_source.h"

#include <utility>

#include "pipeline/media/gst/element_type.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/h264_caps.h"
#include "pipeline/media/gst/push_source.h"
#include "pipeline/media/gst/segment_reader.h"

namespace pytoon::media {
namespace {

struct PacketSourceState {
  PacketSourceJob job;
  std::unique_ptr<SegmentReader> reader;
  std::size_t next_segment = 0;
  ParameterSets sets;              // of the first segment
  std::int64_t frames_before = 0;  // in the segments that are done
};

using Type = ElementType<GstPushSrc, GstPushSrcClass, PacketSourceState>;

PacketSourceState& state_of(gpointer element) { return Type::state_of(element); }

Status open_next(PacketSourceState& state) {
  const auto& path = state.job.segments.at(state.next_segment);
  auto reader = SegmentReader::open(path, state.job.format);
  if (!reader) return reader.failure();
  if (state.next_segment == 0) state.sets = (*reader)->sets();
  if ((*reader)->sets() != state.sets) {
    return failure(FailureKind::kMedia,
                   path.string() +
                       " has other H.264 parameter sets than the first segment; "
                       "segments of one video need the same encoder and options");
  }
  state.reader = std::move(*reader);
  ++state.next_segment;
  return ok_status();
}

// The next packet of the whole; a null packet after the last.
Result<SegmentPacket> next_packet(PacketSourceState& state) {
  if (state.job.cancel.cancelled()) {
    return failure(FailureKind::kCancelled, "assembly was cancelled");
  }
  Result<SegmentPacket> packet = state.reader->next();
  while (packet && !packet->packet && state.next_segment < state.job.segments.size()) {
    state.frames_before += state.reader->frames();
    if (Status opened = open_next(state); !opened) return opened.failure();
    packet = state.reader->next();
  }
  return packet;
}

GstPtr<GstBuffer> buffer_of(SegmentPacket packet) {
  AVPacket* raw = packet.packet.release();
  const auto free_packet = [](gpointer owned) { PacketPtr(static_cast<AVPacket*>(owned)); };
  const auto size = static_cast<gsize>(raw->size);
  GstPtr<GstBuffer> buffer(gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, raw->data, size, 0,
                                                       size, raw, free_packet));
  if ((raw->flags & AV_PKT_FLAG_KEY) == 0) {
    GST_BUFFER_FLAG_SET(buffer.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  }
  return buffer;
}

Result<GstPtr<GstBuffer>> next_buffer(PacketSourceState& state) {
  Result<SegmentPacket> packet = next_packet(state);
  if (!packet) return packet.failure();
  if (!packet->packet) return GstPtr<GstBuffer>();
  const std::int64_t show_at = state.frames_before + packet->show_at;
  // Every segment is decoded from the same time on, so this rises by one frame across a seam too.
  const std::int64_t decode_at = state.frames_before + packet->decode_at;
  const int fps = state.job.format.frames_per_second;
  GstPtr<GstBuffer> buffer = buffer_of(std::move(*packet));
  GST_BUFFER_PTS(buffer.get()) = frame_time(show_at, fps);
  GST_BUFFER_DTS(buffer.get()) = frame_time(decode_at, fps);
  GST_BUFFER_DURATION(buffer.get()) = frame_time(show_at + 1, fps) - frame_time(show_at, fps);
  return buffer;
}

GstFlowReturn create(GstPushSrc* source, GstBuffer** out) {
  PacketSourceState& state = state_of(source);
  GstElement* element = GST_ELEMENT(source);
  return contained(element, *state.job.failures, kFlowFailed, [&] {
    Result<GstPtr<GstBuffer>> buffer = next_buffer(state);
    if (!buffer) {
      fail_element(element, *state.job.failures, buffer.failure());
      return kFlowFailed;
    }
    if (!*buffer) return GST_FLOW_EOS;
    *out = buffer->release();
    return GST_FLOW_OK;
  });
}

bool announce_stream(GstBaseSrc* base, const PacketSourceState& state) {
  GstSegment timeline;
  gst_segment_init(&timeline, GST_FORMAT_TIME);
  timeline.start = timeline.position = kTimelineStart;
  return gst_base_src_new_segment(base, &timeline) != FALSE &&
         gst_base_src_set_caps(base, h264_caps(state.sets).get()) != FALSE;
}

// What the stream is like is known from the first segment only; called before the first packet.
gboolean negotiate(GstBaseSrc* base) {
  PacketSourceState& state = state_of(base);
  if (state.reader) return TRUE;
  return contained(GST_ELEMENT(base), *state.job.failures, FALSE, [&] {
    if (Status opened = open_next(state); !opened) {
      fail_element(GST_ELEMENT(base), *state.job.failures, opened.failure());
      return FALSE;
    }
    return announce_stream(base, state) ? TRUE : FALSE;
  });
}

void set_up_class(GstElementClass* type) {
  add_pad_template(type, "src", GST_PAD_SRC, GST_PAD_ALWAYS, kH264Caps);
  gst_element_class_set_static_metadata(type, "Pytoon packet source", "Source/Demuxer",
                                        "Packets of finished segments", "Pytoon");
  GST_BASE_SRC_CLASS(type)->negotiate = negotiate;
  GST_PUSH_SRC_CLASS(type)->create = create;
}

}  // namespace

GType packet_source_get_type() {
  static const GType type =
      Type::define<set_up_class, set_up_push_source>("PytoonPacketSource", GST_TYPE_PUSH_SRC);
  return type;
}

void configure_packet_source(GstElement* element, PacketSourceJob job) {
  state_of(element).job = std::move(job);
}

}  // namespace pytoon::media
