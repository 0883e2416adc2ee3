// pytoonaudiosrc: a GStreamer source that gives the AAC packets of a finished audio. Times count
// from the first sample of the encoder's priming, at kTimelineStart; the caps tell the priming, and
// the muxer takes it off again (a GStreamer segment can't hold what lies before its start).
//
// Thread rule: configure before the pipeline runs.
#pragma once

#include <gst/gst.h>

#include <filesystem>
#include <memory>

#include "base/cancel.h"
#include "pipeline/media/gst/element_failure.h"

namespace pytoon::media {

constexpr char kAudioSource[] = "pytoonaudiosrc";

struct AudioSourceJob {
  std::filesystem::path file;
  CancelToken cancel;
  std::shared_ptr<FailureSlot> failures;
};

GType audio_source_get_type();
void configure_audio_source(GstElement* element, AudioSourceJob job);

}  // namespace pytoon::media
