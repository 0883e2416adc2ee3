#include "pipeline/media/gst/compositor_source.h"

#include <gst/video/video.h>

#include <utility>

#include "pipeline/media/gst/cuda_parts.h"
#include "pipeline/media/gst/element_type.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/mapped_frame.h"
#include "pipeline/media/gst/push_source.h"

namespace pytoon::media {
namespace {

constexpr guint kAlignmentMask = 63;  // rows start on cache lines, for SIMD
constexpr guint kBuffersMin = 2;      // no upper bound: the queue behind us is one

struct SourceState {
  CompositorSourceJob job;
  GstVideoInfo info{};
  int next = 0;
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

Status draw_into(SourceState& state, GstBuffer* buffer) {
  const bool cuda = state.job.cuda != nullptr;
  const GstMapFlags write = cuda ? map_flags(GST_MAP_WRITE, kMapCuda) : GST_MAP_WRITE;
  const MappedFrame frame(state.info, buffer, write);
  if (!frame) return failure(FailureKind::kInternal, "a frame's buffer can't be mapped");
  const gpu::Size& size = state.job.format.size;
  if (cuda) return state.job.frames->draw(state.next, view_of<gpu::Memory::kCuda>(frame, size));
  return state.job.frames->draw(state.next, view_of<gpu::Memory::kHost>(frame, size));
}

GstFlowReturn fill_next(GstElement* element, SourceState& state, GstBuffer* buffer) {
  if (state.next >= state.job.frame_count) return GST_FLOW_EOS;
  Status drawn = state.job.cancel.cancelled()
                     ? Status(failure(FailureKind::kCancelled, "rendering was cancelled"))
                     : draw_into(state, buffer);
  if (!drawn) {
    fail_element(element, *state.job.failures, drawn.failure());
    return kFlowFailed;
  }
  const int fps = state.job.format.frames_per_second;
  GST_BUFFER_PTS(buffer) = frame_time(state.next, fps) - kTimelineStart;
  ++state.next;
  GST_BUFFER_DURATION(buffer) =
      frame_time(state.next, fps) - kTimelineStart - GST_BUFFER_PTS(buffer);
  if (state.job.on_progress) state.job.on_progress(state.next);
  return GST_FLOW_OK;
}

GstFlowReturn fill(GstPushSrc* source, GstBuffer* buffer) {
  SourceState& state = state_of(source);
  return contained(GST_ELEMENT(source), *state.job.failures, kFlowFailed,
                   [&] { return fill_next(GST_ELEMENT(source), state, buffer); });
}

void set_up_class(GstElementClass* type) {
  add_pad_template(type, "src", GST_PAD_SRC, GST_PAD_ALWAYS, kFrameCaps);
  gst_element_class_set_static_metadata(type, "Pytoon compositor source", "Source/Video",
                                        "Frames drawn by the program", "Pytoon");
  GST_BASE_SRC_CLASS(type)->get_caps = get_caps;
  GST_BASE_SRC_CLASS(type)->set_caps = set_caps;
  GST_BASE_SRC_CLASS(type)->decide_allocation = decide_allocation;
  GST_PUSH_SRC_CLASS(type)->fill = fill;
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
