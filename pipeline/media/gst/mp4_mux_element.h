// pytoonmp4mux: the GStreamer sink that writes an MP4 with an Mp4Writer. Samples of all its pads
// are written in order of their decoding times (GstCollectPads: each pad holds one buffer and its
// thread waits, so no track runs ahead). Says end-of-stream when the file is finished and closed.
//
// Pads are asked for by name: video_%u takes H.264 in MP4 form, audio_%u AAC frames without those
// of the encoder's priming. Another kind of track is another pad template, another caps handler and
// another add_ of the writer. Tracks are numbered in the order in which the pads were asked for.
//
// GStreamer's own mp4mux puts the wall time into the file, hence this one.
// Thread rule: configure before the pipeline runs.
#pragma once

#include <gst/gst.h>

#include <memory>

#include "pipeline/media/gst/element_failure.h"
#include "pipeline/media/gst/mp4_writer.h"

namespace pytoon::media {

constexpr char kMp4MuxElement[] = "pytoonmp4mux";

// AAC as it comes to an audio pad, with these fields: codec_data (AudioSpecificConfig), bitrate
// (bits a second).
constexpr char kAacCaps[] = "audio/mpeg,mpegversion=4,stream-format=raw";

struct Mp4MuxJob {
  VideoFormat format;
  std::unique_ptr<Mp4Writer> writer;
  std::shared_ptr<FailureSlot> failures;
};

GType mp4_mux_element_get_type();
void configure_mp4_mux_element(GstElement* element, Mp4MuxJob job);

}  // namespace pytoon::media
