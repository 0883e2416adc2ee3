// What the cost of a segment depends on, read from the files that are here: heads of images,
// indices of clips, the layout of captions. Clips and captions go through the cache, so that
// rendering finds them there.
//
// Thread rule: any thread. Blocks on reading: some milliseconds, and the first time for a clip's
// packets' heads and the drawing of captions some tens. Errors: kInvalid for captions; a file that
// can't be read is one that is not known.
#pragma once

#include "base/result.h"
#include "pipeline/render/scene_builder.h"
#include "pipeline/render/segment_cost.h"

namespace pytoon::render {

// Of a file without a path nothing is known, unless Inputs::known has its hash.
Result<SegmentFacts> facts_for_cost(const RenderJob& job, int index, const SceneTools& tools);

}  // namespace pytoon::render
