#include "pipeline/media/gst/piece_encoder.h"

#include <algorithm>
#include <utility>

#include "pipeline/media/gst/compositor_source.h"
#include "pipeline/media/gst/cuda_parts.h"
#include "pipeline/media/gst/encoder_element.h"
#include "pipeline/media/gst/gst_pipeline.h"

namespace pytoon::media {
namespace {

constexpr int kQueuedFramesMin = 3;

// How far ahead of the encoder the compositor may be: a whole batch, so that the encoder goes on
// with the last one while the next is drawn.
int queued_frames(const FrameSource& frames) {
  return std::max(kQueuedFramesMin, frames.batch_frames());
}

struct PieceElements {
  GstElement* source = nullptr;
  GstElement* encoder = nullptr;
  GstElement* sink = nullptr;
};

Result<PieceElements> build(GstPipelineRun& pipeline, int queued_frames) {
  PieceElements made;
  GstElement* queue = nullptr;
  const std::pair<const char*, GstElement**> wanted[] = {{kCompositorSource, &made.source},
                                                         {"queue", &queue},
                                                         {kEncoderElement, &made.encoder},
                                                         {kPacketSink, &made.sink}};
  for (const auto& [factory, element] : wanted) {
    Result<GstElement*> added = pipeline.add(factory);
    if (!added) return added.failure();
    *element = *added;
  }
  g_object_set(queue, "max-size-buffers", static_cast<guint>(queued_frames), "max-size-bytes", 0,
               "max-size-time", guint64{0}, nullptr);
  const Status linked = pipeline.link({made.source, queue, made.encoder, made.sink});
  if (!linked) return linked.failure();
  return made;
}

struct OpenEncoder {
  EncoderSessions::Session session;  // given back after the encoder is closed
  std::unique_ptr<VideoEncoder> encoder;
};

Result<OpenEncoder> open_on_host(const SegmentOrder& order, const EncoderSettings& settings) {
  auto encoder = VideoEncoder::open(order.format, settings);
  if (!encoder) return encoder.failure();
  return OpenEncoder{{}, std::move(*encoder)};
}

// Waits its turn: the card allows only so many encoders at once.
Result<OpenEncoder> open_on_cuda(const SegmentOrder& order, const CancelToken& stop) {
  if (!order.cuda) {
    return failure(FailureKind::kEncoder, order.encoder.codec + " needs a CUDA device");
  }
  const Result<BufferRefPtr> frames = order.cuda->parts().make_frames(order.format.size);
  if (!frames) return frames.failure();
  for (;;) {
    auto session = order.cuda->sessions().acquire(stop);
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

// As many frames as may be away at once: in the encoder, in the queue, on their way into it, and
// the batch that is drawn. With fewer the pipeline would stand still.
int frames_needed(const FrameSource& frames, const SegmentOrder& order) {
  return frames_held(order.encoder) + queued_frames(frames) + 1 + frames.batch_frames();
}

Result<EncodedPiece> encode_with(OpenEncoder opened, CompositorSourceJob drawing,
                                 const SegmentOrder& order) {
  EncodedPiece piece{drawing.range, opened.encoder->sets(), {}};
  const auto count = static_cast<std::size_t>(drawing.range.count());
  piece.frames.reserve(count);
  {
    GstPipelineRun pipeline;
    const Result<PieceElements> elements = build(pipeline, queued_frames(*drawing.frames));
    if (!elements) return elements.failure();
    const CancelToken stop = drawing.cancel;
    drawing.failures = pipeline.failures();
    configure_compositor_source(elements->source, std::move(drawing));
    configure_encoder_element(elements->encoder, {.format = order.format,
                                                  .encoder = std::move(opened.encoder),
                                                  .cancel = stop,
                                                  .failures = pipeline.failures()});
    configure_packet_sink(elements->sink, {.frames_per_second = order.format.frames_per_second,
                                           .frames = &piece.frames,
                                           .failures = pipeline.failures()});
    if (Status run = pipeline.run(stop); !run) return run.failure();
  }
  if (piece.frames.size() != count) {
    return failure(FailureKind::kMedia, "the encoder lost frames");
  }
  return piece;
}

bool within_limit(const EncodedPiece& piece, const SegmentOrder& order) {
  std::vector<std::size_t> sizes;
  for (const EncodedFrame& frame : piece.frames) sizes.push_back(frame.bytes.size());
  return within_limit(sizes, order.encoder, order.format.frames_per_second);
}

Result<EncodedPiece> encode_on_host(const CompositorSourceJob& drawing, const SegmentOrder& order) {
  Result<OpenEncoder> opened = open_on_host(order, without_limit(order.encoder));
  if (!opened) return opened.failure();
  Result<EncodedPiece> piece = encode_with(std::move(*opened), drawing, order);
  if (!piece || within_limit(*piece, order)) return piece;
  CompositorSourceJob again = drawing;
  again.on_frame = {};  // they are counted already
  opened =
      open_on_host(order, with_limit(order.encoder, drawing.range, order.format.frames_per_second));
  if (!opened) return opened.failure();
  return encode_with(std::move(*opened), std::move(again), order);
}

}  // namespace

Result<EncodedPiece> encode_piece(FrameSource& frames, const FrameRange& range,
                                  const SegmentOrder& order, const CancelToken& stop,
                                  std::function<void()> on_frame) {
  CompositorSourceJob drawing;
  drawing.frames = &frames;
  drawing.format = order.format;
  drawing.range = range;
  drawing.cancel = stop;
  drawing.on_frame = std::move(on_frame);
  if (!order.encoder.takes_cuda_frames()) return encode_on_host(drawing, order);
  drawing.cuda = order.cuda.get();
  drawing.cuda_frames = frames_needed(frames, order);
  Result<OpenEncoder> opened = open_on_cuda(order, stop);
  if (!opened) return opened.failure();
  return encode_with(std::move(*opened), std::move(drawing), order);
}

}  // namespace pytoon::media
