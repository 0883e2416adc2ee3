#include "pipeline/media/gst/compositor_source.h"

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>

#include <utility>

#include "pipeline/media/gst/element_type.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/mapped_frame.h"

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

GstCaps* job_caps(const VideoFormat& format) {
  return gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "NV12", "width", G_TYPE_INT,
                             format.size.width, "height", G_TYPE_INT, format.size.height,
                             "framerate", GST_TYPE_FRACTION, format.frames_per_second, 1,
                             "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1, "interlace-mode",
                             G_TYPE_STRING, "progressive", "colorimetry", G_TYPE_STRING, "bt709",
                             "chroma-site", G_TYPE_STRING, "mpeg2", nullptr);
}

GstCaps* get_caps(GstBaseSrc* base, GstCaps* filter) {
  const SourceState& state = state_of(base);
  GstCaps* caps = state.job.frames != nullptr
                      ? job_caps(state.job.format)
                      : gst_pad_get_pad_template_caps(GST_BASE_SRC_PAD(base));
  if (filter == nullptr) return caps;
  const GstPtr<GstCaps> all(caps);
  return gst_caps_intersect_full(filter, all.get(), GST_CAPS_INTERSECT_FIRST);
}

gboolean set_caps(GstBaseSrc* base, GstCaps* caps) {
  return gst_video_info_from_caps(&state_of(base).info, caps);
}

gboolean decide_allocation(GstBaseSrc* base, GstQuery* query) {
  GstCaps* caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  if (caps == nullptr) return FALSE;
  GstBufferPool* pool = gst_video_buffer_pool_new();
  GstStructure* config = gst_buffer_pool_get_config(pool);
  const auto size = static_cast<guint>(state_of(base).info.size);
  gst_buffer_pool_config_set_params(config, caps, size, kBuffersMin, 0);
  GstAllocationParams allocation{};
  allocation.align = kAlignmentMask;
  gst_buffer_pool_config_set_allocator(config, nullptr, &allocation);
  GstVideoAlignment rows{};
  for (guint& plane : rows.stride_align) plane = kAlignmentMask;
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
  gst_buffer_pool_config_set_video_alignment(config, &rows);
  const bool accepted = gst_buffer_pool_set_config(pool, config) != FALSE;
  while (gst_query_get_n_allocation_pools(query) > 0) {
    gst_query_remove_nth_allocation_pool(query, 0);
  }
  gst_query_add_allocation_pool(query, pool, size, kBuffersMin, 0);
  gst_object_unref(pool);
  return accepted ? TRUE : FALSE;
}

Status draw_into(SourceState& state, GstBuffer* buffer) {
  const MappedFrame frame(state.info, buffer, GST_MAP_WRITE);
  if (!frame) return failure(FailureKind::kInternal, "a frame's buffer can't be mapped");
  const gpu::HostNv12View view{
      .size = state.job.format.size,
      .luma = frame.plane(0),
      .luma_pitch_bytes = static_cast<std::size_t>(frame.pitch_bytes(0)),
      .chroma = frame.plane(1),
      .chroma_pitch_bytes = static_cast<std::size_t>(frame.pitch_bytes(1))};
  return state.job.frames->draw(state.next, view);
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
  add_pad_template(type, "src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_VIDEO_CAPS_MAKE("NV12"));
  gst_element_class_set_static_metadata(type, "Pytoon compositor source", "Source/Video",
                                        "Frames drawn by the program", "Pytoon");
  GST_BASE_SRC_CLASS(type)->get_caps = get_caps;
  GST_BASE_SRC_CLASS(type)->set_caps = set_caps;
  GST_BASE_SRC_CLASS(type)->decide_allocation = decide_allocation;
  GST_PUSH_SRC_CLASS(type)->fill = fill;
}

void set_up(GstPushSrc* element) {
  gst_base_src_set_format(GST_BASE_SRC(element), GST_FORMAT_TIME);
  gst_base_src_set_live(GST_BASE_SRC(element), FALSE);
}

}  // namespace

GType compositor_source_get_type() {
  static const GType type =
      Type::define<set_up_class, set_up>("PytoonCompositorSource", GST_TYPE_PUSH_SRC);
  return type;
}

void configure_compositor_source(GstElement* element, CompositorSourceJob job) {
  state_of(element).job = std::move(job);
}

}  // namespace pytoon::media
