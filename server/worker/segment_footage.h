// Where the footage of one segment comes from: the job's own clip, or whatever engine serves.
//
// Thread rule: any thread, several segments at once.
#pragma once

#include <string_view>
#include <variant>

#include "engines/engine_chain.h"
#include "pipeline/media/decoder/file_decoder.h"
#include "pipeline/render/renderer.h"
#include "server/jobs/job.h"
#include "server/jobs/object_store.h"

namespace pytoon::worker {

struct FootageSources {
  engines::EngineChain& engine_chain;
  const spec::PresetTable& presets;
  jobs::ObjectStore& storage;
  media::FileDecoder* decoder;  // as WorkerDependencies has it
};

// The footage, a clip of an engine under clip_key; or the engine that is to be asked next by who
// has a slot of it. from, slot: as in EngineChain::step(). Blocks as long as the engine of the slot
// thinks, at most until the watch's deadline; without a slot it answers at once. kCancelled by the
// watch; kStorageFull or kIo when a clip can't be kept under clip_key.
// taken_over: as FootageRequest has it.
Result<engines::ChainStep> choose_segment_footage(
    const jobs::Job& job, int segment, const render::Inputs& inputs, const FootageSources& sources,
    const std::string& clip_key, const engines::Watch& watch, const engines::ChainPosition& from,
    std::string_view slot, bool taken_over = false);

}  // namespace pytoon::worker
