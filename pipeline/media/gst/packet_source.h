// pytoonpacketsrc: a GStreamer source that gives the packets of finished segments, one segment
// after the other, as one stream of H.264 in MP4 form. Frame n of the whole carries the time n/fps
// from kTimelineStart; decoding times are one frame apart, across seams too.
//
// Why not filesrc ! qtdemux ! concat: docs/adr/0002-assembly.md.
// Thread rule: configure before the pipeline runs.
#pragma once

#include <gst/gst.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "base/cancel.h"
#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/video_format.h"

namespace pytoon::media {

constexpr char kPacketSource[] = "pytoonpacketsrc";

struct PacketSourceJob {
  VideoFormat format;
  std::vector<std::filesystem::path> segments;
  CancelToken cancel;
  std::shared_ptr<FailureSlot> failures;
};

GType packet_source_get_type();
void configure_packet_source(GstElement* element, PacketSourceJob job);

}  // namespace pytoon::media
