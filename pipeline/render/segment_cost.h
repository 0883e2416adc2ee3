// The cost of a segment (render_cost.h) as a pure function of the job, what is known of its files,
// and the machine. It makes the segment's scene out of sizes alone, with the code that makes the
// real one, and counts what each step holds: so an image that a shot gains is counted here too.
//
// SegmentFacts tells where its facts come from: an image's size and alpha from the database, where
// they are since its upload, or from the head of its file; a clip's from its index; captions from
// their layout. Nothing is decoded for them, and what is missing is counted at its largest.
//
// Thread rule: any thread; under a millisecond.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "pipeline/media/clip/clip_index.h"
#include "pipeline/media/media_info.h"
#include "pipeline/render/caption_layout.h"
#include "pipeline/render/render_cost.h"
#include "pipeline/render/renderer.h"

namespace pytoon::render {

// By the files' hashes; one that is not there is not known.
struct SegmentFacts {
  std::shared_ptr<const CaptionLayout> captions;  // of the whole job
  std::map<std::string, media::MediaInfo> images;
  std::map<std::string, std::shared_ptr<const media::ClipIndex>> clips;
};

SegmentCost segment_cost(const RenderJob& job, int index, const SegmentFacts& facts,
                         const RenderMachine& machine);

}  // namespace pytoon::render
