#include "pipeline/media/gst/compositor_source.h"

#include <gst/video/video.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "gpu/memory_layout.h"
#include "pipeline/media/gst/cuda_parts.h"
#include "pipeline/media/gst/element_type.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/mapped_frame.h"
#include "pipeline/media/gst/push_source.h"

namespace pytoon::media {
namespace {

constexpr guint kAlignmentMask = 63;  // rows start on cache lines, for SIMD
constexpr guint kBuffersMin = 2;      // no upper bound: the queue behind us is one

// A buffer, mapped while it is drawn into.
struct OpenFrame {
  GstPtr<GstBuffer> buffer;
  std::optional<MappedFrame> mapped;
};

struct SourceState {
  CompositorSourceJob job;
  GstVideoInfo info{};
  int next = 0;                                         // frame to be handed on, of the range
  std::array<OpenFrame, gpu::kBatchFramesMax> batch{};  // drawn, or being drawn
  std::size_t drawn = 0;                                // of batch
  std::size_t handed_on = 0;                            // of those
  std::vector<gpu::Nv12Target> targets;

  void forget_batch() {
    for (OpenFrame& frame : batch) {
      frame.mapped.reset();  // before its buffer
      frame.buffer.reset();
    }
    targets.clear();
    drawn = 0;
    handed_on = 0;
  }
};

using Type = ElementType<GstPushSrc, GstPushSrcClass, SourceState>;

SourceState& state_of(gpointer element) { return Type::state_of(element); }

GstCaps* job_caps(const VideoFormat& format, bool cuda) {
  GstCaps* caps = gst_caps_new_simple(
      "video/x-raw", "format", G_TYPE_STRING, "NV12", "width", G_TYPE_INT, format.size.width,
      "height", G_TYPE_INT, format.size.height, "framerate", GST_TYPE_FRACTION,
      format.frames_per_second, 1, "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, "interlace-mode",
      G_TYPE_STRING, "progressive", "colorimetry", G_TYPE_STRING, "bt709", "chroma-site",
      G_TYPE_STRING, "mpeg2", nullptr);
  if (cuda) {
    gst_caps_set_features_simple(caps, gst_caps_features_new(kCudaMemoryFeature, nullptr));
  }
  return caps;
}

GstCaps* get_caps(GstBaseSrc* base, GstCaps* filter) {
  const SourceState& state = state_of(base);
  GstCaps* caps = state.job.frames != nullptr
                      ? job_caps(state.job.format, state.job.cuda != nullptr)
                      : gst_pad_get_pad_template_caps(GST_BASE_SRC_PAD(base));
  if (filter == nullptr) return caps;
  const GstPtr<GstCaps> all(caps);
  return gst_caps_intersect_full(filter, all.get(), GST_CAPS_INTERSECT_FIRST);
}

gboolean set_caps(GstBaseSrc* base, GstCaps* caps) {
  return gst_video_info_from_caps(&state_of(base).info, caps);
}

GstPtr<GstBufferPool> make_host_pool(GstCaps* caps, guint size) {
  GstPtr<GstBufferPool> pool(gst_video_buffer_pool_new());
  GstStructure* config = gst_buffer_pool_get_config(pool.get());
  gst_buffer_pool_config_set_params(config, caps, size, kBuffersMin, 0);
  GstAllocationParams allocation{};
  allocation.align = kAlignmentMask;
  gst_buffer_pool_config_set_allocator(config, nullptr, &allocation);
  GstVideoAlignment rows{};
  for (guint& plane : rows.stride_align) plane = kAlignmentMask;
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
  gst_buffer_pool_config_set_video_alignment(config, &rows);
  if (gst_buffer_pool_set_config(pool.get(), config) == FALSE) pool.reset();
  return pool;
}

Result<GstPtr<GstBufferPool>> make_pool(const SourceState& state, GstCaps* caps) {
  if (state.job.cuda != nullptr) {
    return state.job.cuda->parts().make_pool(caps, static_cast<guint>(state.job.cuda_frames));
  }
  GstPtr<GstBufferPool> pool = make_host_pool(caps, static_cast<guint>(state.info.size));
  if (!pool) return failure(FailureKind::kInternal, "GStreamer refused our pool of frames");
  return pool;
}

gboolean decide_allocation(GstBaseSrc* base, GstQuery* query) {
  const SourceState& state = state_of(base);
  return contained(GST_ELEMENT(base), *state.job.failures, FALSE, [&]() -> gboolean {
    GstCaps* caps = nullptr;
    gst_query_parse_allocation(query, &caps, nullptr);
    if (caps == nullptr) return FALSE;
    const Result<GstPtr<GstBufferPool>> pool = make_pool(state, caps);
    if (!pool) {
      fail_element(GST_ELEMENT(base), *state.job.failures, pool.failure());
      return FALSE;
    }
    while (gst_query_get_n_allocation_pools(query) > 0) {
      gst_query_remove_nth_allocation_pool(query, 0);
    }
    gst_query_add_allocation_pool(query, pool->get(), static_cast<guint>(state.info.size),
                                  kBuffersMin, 0);
    return TRUE;
  });
}

template <gpu::Memory M>
gpu::Nv12View<M> view_of(const MappedFrame& frame, const gpu::Size& size) {
  return {.size = size,
          .luma = frame.plane(0),
          .luma_pitch_bytes = static_cast<std::size_t>(frame.pitch_bytes(0)),
          .chroma = frame.plane(1),
          .chroma_pitch_bytes = static_cast<std::size_t>(frame.pitch_bytes(1))};
}

gpu::Nv12Target target_of(const SourceState& state, const MappedFrame& frame) {
  const gpu::Size& size = state.job.format.size;
  if (state.job.cuda != nullptr) return view_of<gpu::Memory::kCuda>(frame, size);
  return view_of<gpu::Memory::kHost>(frame, size);
}

// Buffers for the next frames, in order; fewer only at the end. Waits for the encoder to give some
// back where the pool is of fixed size; flushing says that nobody wants frames any more.
GstFlowReturn open_batch(GstPushSrc* source, SourceState& state) {
  const int left = state.job.range.count() - state.next;
  const int wanted = std::min(state.job.frames->batch_frames(), left);
  const GstPtr<GstBufferPool> pool(gst_base_src_get_buffer_pool(GST_BASE_SRC(source)));
  const int write = GST_MAP_WRITE | (state.job.cuda == nullptr ? 0 : kMapCuda);
  for (int i = 0; i < wanted; ++i) {
    OpenFrame& frame = state.batch[state.drawn];
    GstBuffer* raw = nullptr;
    const GstFlowReturn got = gst_buffer_pool_acquire_buffer(pool.get(), &raw, nullptr);
    if (got != GST_FLOW_OK) return got;
    frame.buffer.reset(raw);
    frame.mapped.emplace(state.info, raw, write);
    ++state.drawn;
    if (!*frame.mapped) {
      fail_element(GST_ELEMENT(source), *state.job.failures,
                   failure(FailureKind::kInternal, "a frame's buffer can't be mapped"));
      return kFlowFailed;
    }
    state.targets.push_back(target_of(state, *frame.mapped));
  }
  return GST_FLOW_OK;
}

GstFlowReturn draw_open_batch(GstPushSrc* source, SourceState& state) {
  const int first = state.job.range.first + state.next;
  const Status drawn = state.job.frames->draw_batch(first, state.targets);
  if (drawn) return GST_FLOW_OK;
  fail_element(GST_ELEMENT(source), *state.job.failures, drawn.failure());
  return kFlowFailed;
}

GstFlowReturn draw_next_batch(GstPushSrc* source, SourceState& state) {
  if (state.job.cancel.cancelled()) {
    fail_element(GST_ELEMENT(source), *state.job.failures,
                 failure(FailureKind::kCancelled, "rendering was cancelled"));
    return kFlowFailed;
  }
  state.forget_batch();
  GstFlowReturn flow = open_batch(source, state);
  if (flow == GST_FLOW_OK) flow = draw_open_batch(source, state);
  for (OpenFrame& frame : state.batch) frame.mapped.reset();
  if (flow != GST_FLOW_OK) state.forget_batch();
  return flow;
}

GstFlowReturn create_next(GstPushSrc* source, SourceState& state, GstBuffer** out) {
  if (state.next >= state.job.range.count()) return GST_FLOW_EOS;
  if (state.handed_on == state.drawn) {
    const GstFlowReturn flow = draw_next_batch(source, state);
    if (flow != GST_FLOW_OK) return flow;
  }
  GstBuffer* buffer = state.batch[state.handed_on++].buffer.release();
  const int fps = state.job.format.frames_per_second;
  GST_BUFFER_PTS(buffer) = frame_time(state.next, fps) - kTimelineStart;
  ++state.next;
  GST_BUFFER_DURATION(buffer) =
      frame_time(state.next, fps) - kTimelineStart - GST_BUFFER_PTS(buffer);
  *out = buffer;
  if (state.job.on_frame) state.job.on_frame();
  return GST_FLOW_OK;
}

GstFlowReturn create(GstPushSrc* source, GstBuffer** out) {
  SourceState& state = state_of(source);
  return contained(GST_ELEMENT(source), *state.job.failures, kFlowFailed,
                   [&] { return create_next(source, state, out); });
}

// What was drawn and not handed on goes back to the pool, before the pool goes.
gboolean stop(GstBaseSrc* base) {
  state_of(base).forget_batch();
  return TRUE;
}

void set_up_class(GstElementClass* type) {
  add_pad_template(type, "src", GST_PAD_SRC, GST_PAD_ALWAYS, kFrameCaps);
  gst_element_class_set_static_metadata(type, "Pytoon compositor source", "Source/Video",
                                        "Frames drawn by the program", "Pytoon");
  GST_BASE_SRC_CLASS(type)->get_caps = get_caps;
  GST_BASE_SRC_CLASS(type)->set_caps = set_caps;
  GST_BASE_SRC_CLASS(type)->decide_allocation = decide_allocation;
  GST_BASE_SRC_CLASS(type)->stop = stop;
  GST_PUSH_SRC_CLASS(type)->create = create;
}

}  // namespace

GType compositor_source_get_type() {
  static const GType type =
      Type::define<set_up_class, set_up_push_source>("PytoonCompositorSource", GST_TYPE_PUSH_SRC);
  return type;
}

void configure_compositor_source(GstElement* element, CompositorSourceJob job) {
  state_of(element).job = std::move(job);
}

}  // namespace pytoon::media
