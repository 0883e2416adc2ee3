#include "pipeline/media/segment_writer.h"

#include <utility>

#include "pipeline/media/gst/compositor_source.h"
#include "pipeline/media/gst/encoder_element.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/mp4_mux_element.h"
#include "pipeline/media/gst/publication.h"

namespace pytoon::media {
namespace {

constexpr guint kQueuedFrames = 3;  // the compositor may be this far ahead of the encoder

struct SegmentElements {
  GstElement* source = nullptr;
  GstElement* encoder = nullptr;
  GstElement* muxer = nullptr;
};

Result<SegmentElements> build(GstPipelineRun& pipeline) {
  SegmentElements made;
  GstElement* queue = nullptr;
  GstElement* parser = nullptr;
  const std::pair<const char*, GstElement**> wanted[] = {{kCompositorSource, &made.source},
                                                         {"queue", &queue},
                                                         {kEncoderElement, &made.encoder},
                                                         {"h264parse", &parser},
                                                         {kMp4MuxElement, &made.muxer}};
  for (const auto& [factory, element] : wanted) {
    Result<GstElement*> added = pipeline.add(factory);
    if (!added) return added.failure();
    *element = *added;
  }
  g_object_set(queue, "max-size-buffers", kQueuedFrames, "max-size-bytes", 0, "max-size-time",
               guint64{0}, nullptr);
  const Status linked = pipeline.link({made.source, queue, made.encoder, parser, made.muxer});
  if (!linked) return linked.failure();
  return made;
}

Status write_to(const Publication& file, FrameSource& frames, const SegmentOrder& order) {
  auto writer = Mp4Writer::create(file.temporary());
  if (!writer) return writer.failure();
  GstPipelineRun pipeline;
  const Result<SegmentElements> elements = build(pipeline);
  if (!elements) return elements.failure();
  configure_compositor_source(elements->source, {.frames = &frames,
                                                 .format = order.format,
                                                 .frame_count = order.frame_count,
                                                 .cancel = order.cancel,
                                                 .on_progress = order.on_progress,
                                                 .failures = pipeline.failures()});
  configure_encoder_element(elements->encoder, {.format = order.format,
                                                .settings = order.encoder,
                                                .cancel = order.cancel,
                                                .failures = pipeline.failures()});
  configure_mp4_mux_element(
      elements->muxer,
      {.format = order.format, .writer = std::move(*writer), .failures = pipeline.failures()});
  return pipeline.run();
}

Status write(FrameSource& frames, const SegmentOrder& order) {
  if (order.frame_count < 1) return failure(FailureKind::kInvalid, "a segment needs a frame");
  const Publication file(order.output);
  if (Status written = write_to(file, frames, order); !written) return written;
  return file.publish();
}

}  // namespace

Status write_segment(FrameSource& frames, const SegmentOrder& order) {
  return contained([&] { return write(frames, order); });
}

}  // namespace pytoon::media
