// Where the footage of one segment comes from: what an earlier attempt was given, the job's own
// clip, or whatever engine serves. A clip that an engine made is kept in storage until the job is
// done, so that a job that is taken up again neither pays nor waits twice and keeps its keys.
//
// Thread rule: any thread, several segments at once. Blocks as long as engines think.
#pragma once

#include "base/cancel.h"
#include "engines/ladder.h"
#include "pipeline/render/renderer.h"
#include "server/jobs/job.h"
#include "server/jobs/object_store.h"

namespace pytoon::worker {

struct FootageSources {
  engines::Ladder& ladder;
  const spec::PresetTable& presets;
  jobs::ObjectStore& storage;
};

struct ChosenFootage {
  render::SegmentFootage footage;
  std::string engine;
  bool fallback = false;
  std::string reason;
};

// kCancelled by the token; kStorageFull or kIo when a clip can't be kept.
Result<ChosenFootage> choose_segment_footage(const jobs::Job& job, const jobs::Segment& row,
                                             const render::Inputs& inputs,
                                             const FootageSources& sources,
                                             const CancelToken& cancel);
// When the job is done nobody needs them.
Status remove_footage(const jobs::Job& job, jobs::ObjectStore& storage);

}  // namespace pytoon::worker
