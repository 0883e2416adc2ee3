// How a worker with a CUDA device would render a job, told by a process that may have none: for
// estimates of what its segments take of a card.
//
// Thread rule: any thread; blocks on nothing.
#pragma once

#include "pipeline/render/renderer.h"

namespace pytoon::render {

// As renderer.machine_for() where the renderer itself composes on a card; else with the usual batch
// of a CUDA device, NVDEC, and as many compositors as the segment has pieces, at most
// gpu_pieces_at_once. The worker's process is taken to have its CUDA context already.
RenderMachine machine_on_card(const Renderer& renderer, const RenderJob& job, int index,
                              int gpu_pieces_at_once);

// Gives the job a logo of which only the size counts. It is scaled to one width wherever it is
// drawn; how high it is, nobody has looked: a square is taken.
void assume_logo(RenderJob& job);

}  // namespace pytoon::render
