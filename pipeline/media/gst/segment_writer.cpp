#include "pipeline/media/segment_writer.h"

#include <algorithm>
#include <utility>

#include "pipeline/media/gst/compositor_source.h"
#include "pipeline/media/gst/cuda_parts.h"
#include "pipeline/media/gst/encoder_element.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/mp4_mux_element.h"
#include "pipeline/media/gst/publication.h"

namespace pytoon::media {
namespace {

constexpr int kQueuedFramesMin = 3;

// How far ahead of the encoder the compositor may be: a whole batch, so that the encoder goes on
// with the last one while the next is drawn.
int queued_frames(int batch_frames) { return std::max(kQueuedFramesMin, batch_frames); }

struct SegmentElements {
  GstElement* source = nullptr;
  GstElement* encoder = nullptr;
  GstElement* muxer = nullptr;
};

Result<SegmentElements> build(GstPipelineRun& pipeline, int queued_frames) {
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
  g_object_set(queue, "max-size-buffers", static_cast<guint>(queued_frames), "max-size-bytes", 0,
               "max-size-time", guint64{0}, nullptr);
  const Status linked = pipeline.link({made.source, queue, made.encoder, parser, made.muxer});
  if (!linked) return linked.failure();
  return made;
}

struct OpenEncoder {
  EncoderSessions::Session session;  // given back after the encoder is closed
  std::unique_ptr<VideoEncoder> encoder;
};

Result<OpenEncoder> open_on_host(const SegmentOrder& order) {
  auto encoder = VideoEncoder::open(order.format, order.encoder);
  if (!encoder) return encoder.failure();
  return OpenEncoder{{}, std::move(*encoder)};
}

// Waits its turn: the card allows only so many encoders at once.
Result<OpenEncoder> open_on_cuda(const SegmentOrder& order) {
  if (!order.cuda) {
    return failure(FailureKind::kEncoder, order.encoder.codec + " needs a CUDA device");
  }
  const Result<BufferRefPtr> frames = order.cuda->parts().make_frames(order.format.size);
  if (!frames) return frames.failure();
  for (;;) {
    auto session = order.cuda->sessions().acquire(order.cancel);
    if (!session) return session.failure();
    auto encoder = VideoEncoder::open(order.format, order.encoder, frames->get());
    if (encoder) return OpenEncoder{std::move(*session), std::move(*encoder)};
    if (encoder.failure().kind != FailureKind::kUnavailable) return encoder.failure();
    if (!order.cuda->sessions().retreat(std::move(*session))) {
      return failure(FailureKind::kEncoder,
                     "others hold all of the card's sessions: " + encoder.failure().detail);
    }
  }
}

Status write_to(const Publication& file, FrameSource& frames, const SegmentOrder& order) {
  auto writer = Mp4Writer::create(file.temporary());
  if (!writer) return writer.failure();
  const bool cuda = order.encoder.takes_cuda_frames();
  Result<OpenEncoder> opened = cuda ? open_on_cuda(order) : open_on_host(order);
  if (!opened) return opened.failure();
  GstPipelineRun pipeline;
  const Result<SegmentElements> elements = build(pipeline, queued_frames(frames.batch_frames()));
  if (!elements) return elements.failure();
  configure_compositor_source(elements->source,
                              {.frames = &frames,
                               .format = order.format,
                               .frame_count = order.frame_count,
                               .cuda = cuda ? order.cuda.get() : nullptr,
                               .cuda_frames = cuda_frames_of(order.encoder, frames.batch_frames()),
                               .cancel = order.cancel,
                               .on_progress = order.on_progress,
                               .failures = pipeline.failures()});
  configure_encoder_element(elements->encoder, {.format = order.format,
                                                .encoder = std::move(opened->encoder),
                                                .cancel = order.cancel,
                                                .failures = pipeline.failures()});
  configure_mp4_mux_element(
      elements->muxer,
      {.format = order.format, .writer = std::move(*writer), .failures = pipeline.failures()});
  return pipeline.run(order.cancel);
}

Status write(FrameSource& frames, const SegmentOrder& order) {
  if (order.frame_count < 1) return failure(FailureKind::kInvalid, "a segment needs a frame");
  const Publication file(order.output);
  if (Status written = write_to(file, frames, order); !written) return written;
  return file.publish();
}

}  // namespace

// As many frames as may be away at once: in the encoder, in the queue, on their way into it, and
// the batch that is drawn. With fewer the pipeline would stand still.
int cuda_frames_of(const EncoderSettings& encoder, int batch_frames) {
  return frames_held(encoder) + queued_frames(batch_frames) + 1 + batch_frames;
}

// GStreamer asks the driver for rows at its pitch, which is 512 bytes on all cards so far.
std::uint64_t cuda_frame_bytes(gpu::Size size) {
  constexpr std::uint64_t kPitchBytes = 512;
  const std::uint64_t pitch =
      (static_cast<std::uint64_t>(size.width) + kPitchBytes - 1) / kPitchBytes * kPitchBytes;
  return pitch * static_cast<std::uint64_t>(size.height) * 3 / 2;
}

Status write_segment(FrameSource& frames, const SegmentOrder& order) {
  return contained([&] { return write(frames, order); });
}

}  // namespace pytoon::media
