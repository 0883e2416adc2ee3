#include "pipeline/media/gst/audio_source.h"

#include <utility>

#include "pipeline/media/gst/audio_track.h"
#include "pipeline/media/gst/element_type.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/mp4_mux_element.h"
#include "pipeline/media/gst/push_source.h"

namespace pytoon::media {
namespace {

struct AudioSourceState {
  AudioSourceJob job;
  std::unique_ptr<AudioTrack> track;
};

using Type = ElementType<GstPushSrc, GstPushSrcClass, AudioSourceState>;

AudioSourceState& state_of(gpointer element) { return Type::state_of(element); }

GstClockTime sample_time(std::int64_t samples, int rate) {
  return kTimelineStart + gst_util_uint64_scale_round(static_cast<guint64>(samples), GST_SECOND,
                                                      static_cast<guint64>(rate));
}

GstPtr<GstBuffer> buffer_of(PacketPtr packet, int rate) {
  const GstClockTime from = sample_time(packet->pts, rate);
  const GstClockTime to = sample_time(packet->pts + packet->duration, rate);
  AVPacket* raw = packet.release();
  const auto free_packet = [](gpointer owned) { PacketPtr(static_cast<AVPacket*>(owned)); };
  const auto size = static_cast<gsize>(raw->size);
  GstPtr<GstBuffer> buffer(gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, raw->data, size, 0,
                                                       size, raw, free_packet));
  GST_BUFFER_PTS(buffer.get()) = GST_BUFFER_DTS(buffer.get()) = from;
  GST_BUFFER_DURATION(buffer.get()) = to - from;
  return buffer;
}

Result<GstPtr<GstBuffer>> next_buffer(AudioSourceState& state) {
  if (state.job.cancel.cancelled()) {
    return failure(FailureKind::kCancelled, "assembly was cancelled");
  }
  Result<PacketPtr> packet = state.track->next();
  if (!packet) return packet.failure();
  if (!*packet) return GstPtr<GstBuffer>();
  return buffer_of(std::move(*packet), state.track->format().sample_rate);
}

GstFlowReturn create(GstPushSrc* source, GstBuffer** out) {
  AudioSourceState& state = state_of(source);
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

bool announce_stream(GstBaseSrc* base, const AacFormat& format) {
  GstSegment timeline;
  gst_segment_init(&timeline, GST_FORMAT_TIME);
  timeline.start = timeline.position = kTimelineStart;
  const GstPtr<GstBuffer> config(gst_buffer_new_memdup(format.config.data(), format.config.size()));
  const GstPtr<GstCaps> caps(gst_caps_from_string(kAacCaps));
  gst_caps_set_simple(caps.get(), "rate", G_TYPE_INT, format.sample_rate, "channels", G_TYPE_INT,
                      format.channels, "bitrate", G_TYPE_INT, format.bitrate, "codec_data",
                      GST_TYPE_BUFFER, config.get(), nullptr);
  return gst_base_src_new_segment(base, &timeline) != FALSE &&
         gst_base_src_set_caps(base, caps.get()) != FALSE;
}

// What the audio is like is known from its file only; called before the first packet.
gboolean negotiate(GstBaseSrc* base) {
  AudioSourceState& state = state_of(base);
  if (state.track) return TRUE;
  return contained(GST_ELEMENT(base), *state.job.failures, FALSE, [&] {
    Result<std::unique_ptr<AudioTrack>> track = AudioTrack::open(state.job.file);
    if (!track) {
      fail_element(GST_ELEMENT(base), *state.job.failures, track.failure());
      return FALSE;
    }
    state.track = std::move(*track);
    return announce_stream(base, state.track->format()) ? TRUE : FALSE;
  });
}

void set_up_class(GstElementClass* type) {
  add_pad_template(type, "src", GST_PAD_SRC, GST_PAD_ALWAYS, kAacCaps);
  gst_element_class_set_static_metadata(type, "Pytoon audio source", "Source/Demuxer",
                                        "Packets of a finished audio", "Pytoon");
  GST_BASE_SRC_CLASS(type)->negotiate = negotiate;
  GST_PUSH_SRC_CLASS(type)->create = create;
}

}  // namespace

GType audio_source_get_type() {
  static const GType type =
      Type::define<set_up_class, set_up_push_source>("PytoonAudioSource", GST_TYPE_PUSH_SRC);
  return type;
}

void configure_audio_source(GstElement* element, AudioSourceJob job) {
  state_of(element).job = std::move(job);
}

}  // namespace pytoon::media
