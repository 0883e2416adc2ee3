#include "pipeline/media/gst/mp4_mux_element.h"

#include <gst/base/gstcollectpads.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipeline/media/gst/element_type.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/h264_caps.h"

namespace pytoon::media {
namespace {

constexpr char kVideoPad[] = "video_%u";

// What an input's caps said. Caps come on each input's own thread; the tracks are made, in order,
// when the first sample is written.
struct MuxInput {
  std::optional<ParameterSets> video;
  std::optional<AacFormat> audio;
  int track = -1;  // the writer's number
};

struct MuxState {
  Mp4MuxJob job;
  GstCollectPads* pads = gst_collect_pads_new();
  std::vector<MuxInput> inputs;
  bool tracks_made = false;

  MuxState() = default;
  ~MuxState() { gst_object_unref(pads); }
  MuxState(const MuxState&) = delete;
  MuxState& operator=(const MuxState&) = delete;
};

// GstCollectPads allocates it, zeroed.
struct MuxPad {
  GstCollectData collect;
  std::size_t input;
};

using Type = ElementType<GstElement, GstElementClass, MuxState>;

MuxState& state_of(gpointer element) { return Type::state_of(element); }

MuxInput& input_of(MuxState& state, GstCollectData* data) {
  return state.inputs.at(reinterpret_cast<MuxPad*>(data)->input);
}

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

Bytes codec_data(const GstStructure* caps) {
  const GValue* value = gst_structure_get_value(caps, "codec_data");
  if (value == nullptr) return {};
  const MappedBytes record(gst_value_get_buffer(value));
  return {record.bytes().begin(), record.bytes().end()};
}

Status take_video_caps(MuxInput& input, const GstStructure* caps) {
  const Bytes record = codec_data(caps);
  if (record.empty()) return failure(FailureKind::kMedia, "a video track has no parameter sets");
  Result<ParameterSets> sets = parse_avcc(record);
  if (!sets) return sets.failure();
  input.video = std::move(*sets);
  return ok_status();
}

Status take_audio_caps(MuxInput& input, const GstStructure* caps) {
  AacFormat format;
  format.config = codec_data(caps);
  const bool told = gst_structure_get_int(caps, "rate", &format.sample_rate) &&
                    gst_structure_get_int(caps, "channels", &format.channels) &&
                    gst_structure_get_int(caps, "bitrate", &format.bitrate);
  if (!told || format.config.empty()) {
    return failure(FailureKind::kMedia, "an audio track does not tell its form");
  }
  input.audio = std::move(format);
  return ok_status();
}

Status take_caps(MuxInput& input, const GstCaps* caps) {
  const GstStructure* form = gst_caps_get_structure(caps, 0);
  if (gst_structure_has_name(form, "audio/mpeg")) return take_audio_caps(input, form);
  if (input.video) return ok_status();  // h264parse may add details to its caps
  return take_video_caps(input, form);
}

Status make_tracks(MuxState& state) {
  for (MuxInput& input : state.inputs) {
    if (!input.video && !input.audio) {
      return failure(FailureKind::kMedia, "a track has no form");
    }
    const Result<int> track = input.video
                                  ? state.job.writer->add_video(state.job.format, *input.video)
                                  : state.job.writer->add_audio(*input.audio);
    if (!track) return track.failure();
    input.track = *track;
  }
  state.tracks_made = true;
  return ok_status();
}

gboolean on_event(GstCollectPads* pads, GstCollectData* data, GstEvent* event, gpointer user) {
  MuxState& state = state_of(user);
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    const bool taken = contained(GST_ELEMENT(user), *state.job.failures, false, [&] {
      const Status status = take_caps(input_of(state, data), caps);
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

Mp4Sample video_sample(const MuxState& state, int track, const GstBuffer* buffer,
                       GstClockTimeDiff decode_at, ByteSpan bytes) {
  const Mp4Writer& writer = *state.job.writer;
  return {.bytes = bytes,
          .show_at = writer.ticks(track, static_cast<std::int64_t>(GST_BUFFER_PTS(buffer))),
          .decode_at = writer.ticks(track, decode_at),
          .duration = 1,
          .key = starts_sequence(bytes)};
}

Mp4Sample audio_sample(const MuxState& state, int track, const GstBuffer* buffer, ByteSpan bytes) {
  const Mp4Writer& writer = *state.job.writer;
  const auto from = static_cast<std::int64_t>(GST_BUFFER_PTS(buffer));
  const auto to = from + static_cast<std::int64_t>(GST_BUFFER_DURATION(buffer));
  const std::int64_t begins = writer.ticks(track, from);
  return {.bytes = bytes,
          .show_at = begins,
          .decode_at = begins,
          .duration = writer.ticks(track, to) - begins,
          .key = true};
}

Status write_sample(MuxState& state, GstCollectData* data, GstBuffer* buffer) {
  if (!state.tracks_made) {
    if (Status made = make_tracks(state); !made) return made;
  }
  const MuxInput& input = input_of(state, data);
  const GstClockTimeDiff decode_at = data->ABI.abi.dts;
  const bool timed =
      GST_BUFFER_PTS_IS_VALID(buffer) &&
      (input.audio ? GST_BUFFER_DURATION_IS_VALID(buffer) : GST_CLOCK_STIME_IS_VALID(decode_at));
  if (!timed) return failure(FailureKind::kMedia, "a sample came without its times");
  const MappedBytes sample(buffer);
  return state.job.writer->write(
      input.track, input.audio
                       ? audio_sample(state, input.track, buffer, sample.bytes())
                       : video_sample(state, input.track, buffer, decode_at, sample.bytes()));
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
  const bool video = std::string_view(GST_PAD_TEMPLATE_NAME_TEMPLATE(pad_template)) == kVideoPad;
  const std::string name = (video ? "video_" : "audio_") + std::to_string(state.inputs.size());
  GstPad* pad = gst_pad_new_from_template(pad_template, name.c_str());
  GstCollectData* data = gst_collect_pads_add_pad(state.pads, pad, sizeof(MuxPad), nullptr, TRUE);
  reinterpret_cast<MuxPad*>(data)->input = state.inputs.size();
  state.inputs.emplace_back();
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
  add_pad_template(type, kVideoPad, GST_PAD_SINK, GST_PAD_REQUEST, kH264Caps);
  add_pad_template(type, "audio_%u", GST_PAD_SINK, GST_PAD_REQUEST, kAacCaps);
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
