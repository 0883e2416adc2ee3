#include "pipeline/render/machine_on_card.h"

#include <algorithm>

#include "gpu/memory_layout.h"
#include "pipeline/media/pieces.h"

namespace pytoon::render {

RenderMachine machine_on_card(const Renderer& renderer, const RenderJob& job, int index,
                              int gpu_pieces_at_once) {
  RenderMachine machine = renderer.machine_for(job, renderer.compositors_at_once(job, index));
  // Who has a CUDA device has NVDEC; NVENC's settings alone say nothing of the device here.
  if (machine.composes_on_cuda && machine.decodes_clips) return machine;
  const int frames = renderer.frame_count(job.spec, index);
  const auto pieces = static_cast<int>(media::pieces_of(frames, machine.encoder).size());
  machine.composes_on_cuda = true;
  machine.decodes_clips = true;
  machine.batch_frames = gpu::kCudaBatchFrames;
  machine.compositors = std::clamp(pieces, 1, std::max(1, gpu_pieces_at_once));
  return machine;
}

void assume_logo(RenderJob& job) {
  job.inputs.logo = plan::InputFile{{}, "logo"};
  job.inputs.known["logo"] = media::MediaInfo{"png", "", {120, 120}, true, 0, 0, 0};
}

}  // namespace pytoon::render
