// How much GPU memory a ComfyUI should leave free beside our compositor on the same card: its flag
// --vram-headroom, or --reserve-vram where a build has no dynamic VRAM. Pages that ComfyUI has
// taken while it runs are not given back for a promise of ours, so what our segments need must stay
// free: the largest segment of any preset, as often as segments run at once on a card, our CUDA
// context, and the headroom below which nothing is promised.
//
// Thread rule: pure, but largest_segment(), which lays out captions: some hundred milliseconds.
#pragma once

#include <string>

#include "pipeline/plan/planner.h"
#include "pipeline/render/renderer.h"
#include "server/jobs/admission/gpu_state.h"

namespace pytoon::app {

struct LargestSegment {
  std::string preset;  // whose it is; "" when no cost could be told
  render::SegmentCost cost;
};

// Of each preset the dearest segment of a job with images of the largest size and a clip of the
// video's own, as a worker with a card would render it.
LargestSegment largest_segment(const plan::Catalogue& catalogue, render::Renderer& renderer,
                               int gpu_pieces_at_once);

struct HeadroomAdvice {
  jobs::admission::Bytes bytes = 0;  // 0: none can be given
  std::string reason;                // how it is made up
  std::string gib() const;           // as the flag wants it, rounded up: "2.6"
};

// threads: WORKER_CONCURRENCY of the one worker on the card.
HeadroomAdvice advise_headroom(const LargestSegment& largest, int threads);

}  // namespace pytoon::app
