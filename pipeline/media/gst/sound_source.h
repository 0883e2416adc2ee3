// pytoonsoundsrc: a GStreamer source that gives the AAC packets of a finished sound. Times count
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

constexpr char kSoundSource[] = "pytoonsoundsrc";

struct SoundSourceJob {
  std::filesystem::path file;
  CancelToken cancel;
  std::shared_ptr<FailureSlot> failures;
};

GType sound_source_get_type();
void configure_sound_source(GstElement* element, SoundSourceJob job);

}  // namespace pytoon::media
