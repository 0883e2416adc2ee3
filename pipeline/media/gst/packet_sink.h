// pytoonpacketsink: a GStreamer sink that keeps the access units of a piece in memory, as
// pytoonavenc gives them. Says end-of-stream when it has the last one.
//
// Thread rule: configure before the pipeline runs; what it collected may be read after the run.
#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/gst/h264_stream.h"

namespace pytoon::media {

constexpr char kPacketSink[] = "pytoonpacketsink";

// One access unit in MP4 form. Times count frames from the piece's first.
struct EncodedFrame {
  Bytes bytes;
  std::int64_t show_at = 0;
  std::int64_t decode_at = 0;
};

struct PacketSinkJob {
  int frames_per_second = 0;
  std::vector<EncodedFrame>* frames = nullptr;  // in decoding order; outlives the pipeline
  std::shared_ptr<FailureSlot> failures;
};

GType packet_sink_get_type();
void configure_packet_sink(GstElement* element, PacketSinkJob job);

}  // namespace pytoon::media
