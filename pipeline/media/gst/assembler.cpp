#include "pipeline/media/assembler.h"

#include <utility>

#include "pipeline/media/gst/audio_source.h"
#include "pipeline/media/gst/gst_pipeline.h"
#include "pipeline/media/gst/mp4_mux_element.h"
#include "pipeline/media/gst/packet_source.h"
#include "pipeline/media/gst/publication.h"

namespace pytoon::media {
namespace {

Status add_audio(GstPipelineRun& pipeline, GstElement* muxer, const AssemblyOrder& order) {
  const Result<GstElement*> source = pipeline.add(kAudioSource);
  if (!source) return source.failure();
  if (Status linked = pipeline.link({*source, muxer}); !linked) return linked;
  configure_audio_source(
      *source, {.file = *order.audio, .cancel = order.cancel, .failures = pipeline.failures()});
  return ok_status();
}

Status write_to(const Publication& file, const AssemblyOrder& order) {
  auto writer = Mp4Writer::create(file.temporary());
  if (!writer) return writer.failure();
  GstPipelineRun pipeline;
  const Result<GstElement*> source = pipeline.add(kPacketSource);
  if (!source) return source.failure();
  const Result<GstElement*> parser = pipeline.add("h264parse");
  if (!parser) return parser.failure();
  const Result<GstElement*> muxer = pipeline.add(kMp4MuxElement);
  if (!muxer) return muxer.failure();
  if (Status linked = pipeline.link({*source, *parser, *muxer}); !linked) return linked;
  if (order.audio) {
    if (Status added = add_audio(pipeline, *muxer, order); !added) return added;
  }
  configure_packet_source(*source, {.format = order.format,
                                    .segments = order.segments,
                                    .cancel = order.cancel,
                                    .failures = pipeline.failures()});
  configure_mp4_mux_element(
      *muxer,
      {.format = order.format, .writer = std::move(*writer), .failures = pipeline.failures()});
  return pipeline.run(order.cancel);
}

Status join(const AssemblyOrder& order) {
  if (order.segments.empty()) return failure(FailureKind::kInvalid, "there are no segments");
  const Publication file(order.output);
  if (Status written = write_to(file, order); !written) return written;
  return file.publish();
}

}  // namespace

Status assemble(const AssemblyOrder& order) {
  return contained([&] { return join(order); });
}

}  // namespace pytoon::media
