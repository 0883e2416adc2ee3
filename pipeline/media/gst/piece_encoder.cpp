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
int queued_frames(int batch_frames) { return std::max(kQueuedFramesMin, batch_frames); }

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

Result<EncodedPiece> encode_with(OpenEncoder opened, CompositorSourceJob drawing,
                                 const SegmentOrder& order) {
  EncodedPiece piece{drawing.range, opened.encoder->sets(), {}};
  const auto count = static_cast<std::size_t>(drawing.range.count());
  piece.frames.reserve(count);
  {
    GstPipelineRun pipeline;
    const Result<PieceElements> elements =
        build(pipeline, queued_frames(drawing.frames->batch_frames()));
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
  drawing.cuda_frames = cuda_frames_of(order.encoder, frames.batch_frames());
  Result<OpenEncoder> opened = open_on_cuda(order, stop);
  if (!opened) return opened.failure();
  return encode_with(std::move(*opened), std::move(drawing), order);
}

}  // namespace pytoon::media
