#include "pipeline/media/gst/mp4_mux_element.h"

#include <gst/base/gstcollectpads.h>

#include <string>
#include <utility>

#include "pipeline/media/gst/element_type.h"
#include "pipeline/media/gst/gst_pipeline.h"

namespace pytoon::media {
namespace {

struct MuxState {
  Mp4MuxJob job;
  GstCollectPads* pads = gst_collect_pads_new();
  guint pads_made = 0;

  MuxState() = default;
  ~MuxState() { gst_object_unref(pads); }
  MuxState(const MuxState&) = delete;
  MuxState& operator=(const MuxState&) = delete;
};

// One input. GstCollectPads allocates it, zeroed, so the track's number is kept plus one.
struct MuxPad {
  GstCollectData collect;
  int track_plus_one;
};

using Type = ElementType<GstElement, GstElementClass, MuxState>;

MuxState& state_of(gpointer element) { return Type::state_of(element); }

MuxPad& pad_of(GstCollectData* data) { return *reinterpret_cast<MuxPad*>(data); }

class MappedBytes {
 public:
  explicit MappedBytes(GstBuffer* buffer)
      : buffer_(buffer), mapped_(gst_buffer_map(buffer, &map_, GST_MAP_READ) != FALSE) {}
  ~MappedBytes() {
    if (mapped_) gst_buffer_unmap(buffer_, &map_);
  }
  MappedBytes(const MappedBytes&) = delete;
  MappedBytes& operator=(const MappedBytes&) = delete;

  ByteSpan bytes() const { return mapped_ ? ByteSpan(map_.data, map_.size) : ByteSpan(); }

 private:
  GstBuffer* buffer_;
  GstMapInfo map_{};
  bool mapped_;
};

Status take_video_caps(MuxState& state, MuxPad& pad, GstCaps* caps) {
  if (pad.track_plus_one > 0) return ok_status();  // h264parse may add details to its caps
  const GValue* value = gst_structure_get_value(gst_caps_get_structure(caps, 0), "codec_data");
  if (value == nullptr) return failure(FailureKind::kMedia, "a video track has no parameter sets");
  const MappedBytes record(gst_value_get_buffer(value));
  const Result<ParameterSets> sets = parse_avcc(record.bytes());
  if (!sets) return sets.failure();
  const Result<int> track = state.job.writer->add_video(state.job.format, *sets);
  if (!track) return track.failure();
  pad.track_plus_one = *track + 1;
  return ok_status();
}

gboolean on_event(GstCollectPads* pads, GstCollectData* data, GstEvent* event, gpointer user) {
  MuxState& state = state_of(user);
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    const bool taken = contained(GST_ELEMENT(user), *state.job.failures, false, [&] {
      const Status status = take_video_caps(state, pad_of(data), caps);
      if (!status) fail_element(GST_ELEMENT(user), *state.job.failures, status.failure());
      return status.ok();
    });
    if (!taken) {
      gst_event_unref(event);
      return FALSE;
    }
  }
  return gst_collect_pads_event_default(pads, data, event, FALSE);
}

Status write_sample(MuxState& state, GstCollectData* data, GstBuffer* buffer) {
  const int track = pad_of(data).track_plus_one - 1;
  const GstClockTimeDiff decode_at = data->ABI.abi.dts;
  if (track < 0 || !GST_BUFFER_PTS_IS_VALID(buffer) || !GST_CLOCK_STIME_IS_VALID(decode_at)) {
    return failure(FailureKind::kMedia, "a sample came without its track or its times");
  }
  const Mp4Writer& writer = *state.job.writer;
  const MappedBytes sample(buffer);
  return state.job.writer->write(
      track,
      Mp4Sample{.bytes = sample.bytes(),
                .show_at = writer.ticks(track, static_cast<std::int64_t>(GST_BUFFER_PTS(buffer))),
                .decode_at = writer.ticks(track, decode_at),
                .duration = 1,
                .key = starts_sequence(sample.bytes())});
}

// Called with the next sample of all tracks (running times), or without one when all have ended.
GstFlowReturn on_buffer(GstCollectPads*, GstCollectData* data, GstBuffer* raw_buffer,
                        gpointer user) {
  GstElement* element = GST_ELEMENT(user);
  MuxState& state = state_of(user);
  const GstPtr<GstBuffer> buffer(raw_buffer);
  return contained(element, *state.job.failures, kFlowFailed, [&] {
    const Status done =
        buffer ? write_sample(state, data, buffer.get()) : state.job.writer->finish();
    if (!done) {
      fail_element(element, *state.job.failures, done.failure());
      return kFlowFailed;
    }
    if (buffer) return GST_FLOW_OK;
    gst_element_post_message(element, gst_message_new_eos(GST_OBJECT(element)));
    return GST_FLOW_EOS;
  });
}

GstPad* request_new_pad(GstElement* element, GstPadTemplate* pad_template, const gchar*,
                        const GstCaps*) {
  MuxState& state = state_of(element);
  const std::string name = "video_" + std::to_string(state.pads_made++);
  GstPad* pad = gst_pad_new_from_template(pad_template, name.c_str());
  gst_collect_pads_add_pad(state.pads, pad, sizeof(MuxPad), nullptr, TRUE);
  gst_element_add_pad(element, pad);
  return pad;
}

void release_pad(GstElement* element, GstPad* pad) {
  gst_collect_pads_remove_pad(state_of(element).pads, pad);
  gst_element_remove_pad(element, pad);
}

// We write as fast as samples come: a pipeline's latency has nothing to tell us.
gboolean send_event(GstElement* element, GstEvent* event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_LATENCY) {
    return Type::parent_class(element)->send_event(element, event);
  }
  gst_event_unref(event);
  return TRUE;
}

GstStateChangeReturn change_state(GstElement* element, GstStateChange change) {
  GstCollectPads* pads = state_of(element).pads;
  if (change == GST_STATE_CHANGE_READY_TO_PAUSED) gst_collect_pads_start(pads);
  // Before the pads are closed, or a thread that waits in one would never leave.
  if (change == GST_STATE_CHANGE_PAUSED_TO_READY) gst_collect_pads_stop(pads);
  return Type::parent_class(element)->change_state(element, change);
}

void set_up_class(GstElementClass* type) {
  add_pad_template(type, "video_%u", GST_PAD_SINK, GST_PAD_REQUEST,
                   "video/x-h264,stream-format=avc,alignment=au");
  gst_element_class_set_static_metadata(type, "Pytoon MP4 muxer", "Codec/Muxer/Sink",
                                        "MP4 through libavformat", "Pytoon");
  type->request_new_pad = request_new_pad;
  type->release_pad = release_pad;
  type->send_event = send_event;
  type->change_state = change_state;
}

void set_up(GstElement* element) {
  GST_OBJECT_FLAG_SET(element, GST_ELEMENT_FLAG_SINK);
  GstCollectPads* pads = state_of(element).pads;
  gst_collect_pads_set_clip_function(pads, gst_collect_pads_clip_running_time, nullptr);
  gst_collect_pads_set_event_function(pads, on_event, element);
  gst_collect_pads_set_buffer_function(pads, on_buffer, element);
}

}  // namespace

GType mp4_mux_element_get_type() {
  static const GType type =
      Type::define<set_up_class, set_up>("PytoonMp4MuxElement", GST_TYPE_ELEMENT);
  return type;
}

void configure_mp4_mux_element(GstElement* element, Mp4MuxJob job) {
  state_of(element).job = std::move(job);
}

}  // namespace pytoon::media
