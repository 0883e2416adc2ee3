// Where the footage of one segment comes from: the job's own clip, or whatever engine serves.
//
// Thread rule: any thread, several segments at once.
#pragma once

#include "engines/engine_chain.h"
#include "pipeline/render/renderer.h"
#include "server/jobs/job.h"
#include "server/jobs/object_store.h"

namespace pytoon::worker {

struct FootageSources {
  engines::EngineChain& engine_chain;
  const spec::PresetTable& presets;
  jobs::ObjectStore& storage;
};

struct ChosenFootage {
  render::SegmentFootage footage;  // a clip of an engine lies at the key that was asked for
  std::string engine;
  bool fallback = false;
  std::string reason;
};

// Whether an engine has to be waited for; otherwise choose_segment_footage() answers at once.
bool needs_an_engine(const spec::RenderSpec& spec, int segment, const FootageSources& sources);

// Blocks as long as engines think, at most until the watch's deadline. kCancelled by the watch;
// kStorageFull or kIo when a clip can't be kept under clip_key.
Result<ChosenFootage> choose_segment_footage(const jobs::Job& job, int segment,
                                             const render::Inputs& inputs,
                                             const FootageSources& sources,
                                             const std::string& clip_key,
                                             const engines::Watch& watch);

}  // namespace pytoon::worker
