#include "pipeline/media/gst/encoder_element.h"

#include <gst/video/gstvideoencoder.h>
#include <gst/video/video.h>

#include <utility>

#include "pipeline/media/gst/cuda_library.h"
#include "pipeline/media/gst/element_type.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/h264_caps.h"
#include "pipeline/media/gst/mapped_frame.h"

namespace pytoon::media {
namespace {

struct EncoderState {
  EncoderElementJob job;
  GstPtr<GstCaps> taken;  // by the codec; null: anything
  GstVideoInfo info{};
  FramePtr frame = make_frame();
};

using Type = ElementType<GstVideoEncoder, GstVideoEncoderClass, EncoderState>;

EncoderState& state_of(gpointer element) { return Type::state_of(element); }

// The frame's owner inside the pipeline; finish_frame takes it, everything else gives it back.
struct FrameUnref {
  void operator()(GstVideoCodecFrame* frame) const { gst_video_codec_frame_unref(frame); }
};
using CodecFramePtr = std::unique_ptr<GstVideoCodecFrame, FrameUnref>;

Status take_format(GstVideoEncoder* element, EncoderState& state, GstVideoCodecState* input) {
  if (!state.job.encoder) return failure(FailureKind::kInternal, "the encoder runs only once");
  state.info = input->info;
  GstCaps* caps = h264_caps(state.job.encoder->sets()).release();  // taken over
  gst_video_codec_state_unref(gst_video_encoder_set_output_state(element, caps, input));
  gst_video_encoder_set_min_pts(element, kTimelineStart);
  if (gst_video_encoder_negotiate(element) == FALSE) {
    return failure(FailureKind::kInternal, "the encoder's output format was refused");
  }
  return ok_status();
}

GstFlowReturn finish_unit(GstVideoEncoder* element, EncoderState& state, const AccessUnit& unit) {
  CodecFramePtr frame(gst_video_encoder_get_frame(element, static_cast<int>(unit.frame)));
  if (!frame) {
    fail_element(GST_ELEMENT(element), *state.job.failures,
                 failure(FailureKind::kMedia, "the encoder returned a frame it was not given"));
    return kFlowFailed;
  }
  frame->output_buffer = gst_buffer_new_memdup(unit.bytes.data(), unit.bytes.size());
  frame->dts = frame_time(unit.decode_at, state.job.format.frames_per_second);
  if (unit.key) GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame.get());
  return gst_video_encoder_finish_frame(element, frame.release());
}

GstFlowReturn drain(GstVideoEncoder* element, EncoderState& state) {
  for (;;) {
    const Result<AccessUnit> unit = state.job.encoder->receive();
    if (!unit) {
      fail_element(GST_ELEMENT(element), *state.job.failures, unit.failure());
      return kFlowFailed;
    }
    if (unit->frame < 0) return GST_FLOW_OK;
    const GstFlowReturn flow = finish_unit(element, state, *unit);
    if (flow != GST_FLOW_OK) return flow;
  }
}

// NVENC is told one address and one pitch, and looks for the chroma right behind the luma.
bool chroma_follows_luma(const MappedFrame& frame, int height) {
  return frame.pitch_bytes(1) == frame.pitch_bytes(0) &&
         frame.plane(1) - frame.plane(0) == std::ptrdiff_t{frame.pitch_bytes(0)} * height;
}

// Points an AVFrame at the buffer's memory, which stays mapped until the codec lets go of it.
Status borrow_frame(EncoderState& state, GstBuffer* buffer, std::int64_t index) {
  AVBufferRef* cuda_frames = state.job.encoder->cuda_frames();
  const int read = GST_MAP_READ | (cuda_frames == nullptr ? 0 : kMapCuda);
  auto mapped = std::make_unique<MappedFrame>(state.info, buffer, read);
  if (!*mapped) return failure(FailureKind::kInternal, "a frame's buffer can't be mapped");
  AVFrame& frame = *state.frame;
  frame.format = cuda_frames == nullptr ? AV_PIX_FMT_NV12 : AV_PIX_FMT_CUDA;
  frame.width = state.job.format.size.width;
  frame.height = state.job.format.size.height;
  frame.pts = index;
  for (guint plane = 0; plane < 2; ++plane) {
    frame.data[plane] = mapped->plane(plane);
    frame.linesize[plane] = mapped->pitch_bytes(plane);
  }
  const auto unmap = [](void* opaque, std::uint8_t*) {
    const std::unique_ptr<MappedFrame> owned(static_cast<MappedFrame*>(opaque));
  };
  frame.buf[0] = av_buffer_create(frame.data[0], mapped->size_bytes(), unmap, mapped.get(),
                                  AV_BUFFER_FLAG_READONLY);
  if (frame.buf[0] == nullptr) return failure(FailureKind::kOutOfMemory, "no memory");
  const bool as_nvenc_reads = chroma_follows_luma(*mapped, frame.height);
  mapped.release();
  if (cuda_frames == nullptr) return ok_status();
  if (!as_nvenc_reads) return failure(FailureKind::kEncoder, "a CUDA frame's planes lie apart");
  frame.hw_frames_ctx = av_buffer_ref(cuda_frames);
  if (frame.hw_frames_ctx == nullptr) return failure(FailureKind::kOutOfMemory, "no memory");
  return ok_status();
}

Status encode(EncoderState& state, GstVideoCodecFrame& frame) {
  if (state.job.cancel.cancelled()) {
    return failure(FailureKind::kCancelled, "rendering was cancelled");
  }
  Status done = borrow_frame(state, frame.input_buffer, frame.system_frame_number);
  if (done) done = state.job.encoder->send(state.frame.get());
  av_frame_unref(state.frame.get());
  // The codec has its own copy or reference: the buffer needn't wait for the packet.
  gst_buffer_replace(&frame.input_buffer, nullptr);
  return done;
}

GstFlowReturn handle_frame(GstVideoEncoder* element, GstVideoCodecFrame* raw_frame) {
  EncoderState& state = state_of(element);
  const CodecFramePtr frame(raw_frame);
  return contained(GST_ELEMENT(element), *state.job.failures, kFlowFailed, [&] {
    if (Status done = encode(state, *frame); !done) {
      fail_element(GST_ELEMENT(element), *state.job.failures, done.failure());
      return kFlowFailed;
    }
    return drain(element, state);
  });
}

gboolean set_format(GstVideoEncoder* element, GstVideoCodecState* input) {
  EncoderState& state = state_of(element);
  return contained(GST_ELEMENT(element), *state.job.failures, FALSE, [&] {
    const Status opened = take_format(element, state, input);
    if (!opened) fail_element(GST_ELEMENT(element), *state.job.failures, opened.failure());
    return opened ? TRUE : FALSE;
  });
}

GstFlowReturn finish(GstVideoEncoder* element) {
  EncoderState& state = state_of(element);
  if (!state.job.encoder) return GST_FLOW_OK;
  return contained(GST_ELEMENT(element), *state.job.failures, kFlowFailed, [&] {
    if (Status done = state.job.encoder->send(nullptr); !done) {
      fail_element(GST_ELEMENT(element), *state.job.failures, done.failure());
      return kFlowFailed;
    }
    return drain(element, state);
  });
}

gboolean stop(GstVideoEncoder* element) {
  state_of(element).job.encoder.reset();
  return TRUE;
}

// Only the kind of memory that the codec takes. The source may ask while stop() runs.
GstCaps* get_caps(GstVideoEncoder* element, GstCaps* filter) {
  return gst_video_encoder_proxy_getcaps(element, state_of(element).taken.get(), filter);
}

gboolean propose_allocation(GstVideoEncoder* element, GstQuery* query) {
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  return Type::parent_class(element)->propose_allocation(element, query);
}

void set_up_class(GstElementClass* type) {
  add_pad_template(type, "sink", GST_PAD_SINK, GST_PAD_ALWAYS, kFrameCaps);
  add_pad_template(type, "src", GST_PAD_SRC, GST_PAD_ALWAYS, kH264Caps);
  gst_element_class_set_static_metadata(type, "Pytoon H.264 encoder", "Codec/Encoder/Video",
                                        "H.264 through libavcodec", "Pytoon");
  GstVideoEncoderClass* encoder = GST_VIDEO_ENCODER_CLASS(type);
  encoder->getcaps = get_caps;
  encoder->set_format = set_format;
  encoder->handle_frame = handle_frame;
  encoder->finish = finish;
  encoder->stop = stop;
  encoder->propose_allocation = propose_allocation;
  // Nothing to carry over: input buffers are gone before their packets are finished.
  encoder->transform_meta = nullptr;
}

void set_up(GstVideoEncoder*) {}

}  // namespace

GType encoder_element_get_type() {
  static const GType type =
      Type::define<set_up_class, set_up>("PytoonEncoderElement", GST_TYPE_VIDEO_ENCODER);
  return type;
}

void configure_encoder_element(GstElement* element, EncoderElementJob job) {
  EncoderState& state = state_of(element);
  state.job = std::move(job);
  const bool cuda = state.job.encoder->cuda_frames() != nullptr;
  state.taken.reset(
      gst_caps_from_string(cuda ? GST_VIDEO_CAPS_MAKE_WITH_FEATURES("memory:CUDAMemory", "NV12")
                                : GST_VIDEO_CAPS_MAKE("NV12")));
}

}  // namespace pytoon::media
