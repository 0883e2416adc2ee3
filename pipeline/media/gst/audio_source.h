// pytoonaudiosrc: a GStreamer source that gives the AAC packets of a finished audio. Its first
// sample is at kTimelineStart.
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
