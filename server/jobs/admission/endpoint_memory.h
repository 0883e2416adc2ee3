// What lies in a ComfyUI endpoint's memory, told from how much it takes: ComfyUI says how much,
// never of what. Known are the promises (whose model is being loaded) and what the sample before
// said, so any process that samples the card comes to the same answer. Pure.
//
// Where it can't be known it is told so that less is promised: while a prompt runs, memory counts
// as another model's until it is more than those took; what is left of an unload is residue.
//
// One that does not answer may only be slow, as ComfyUI is while it loads a model: it has what it
// had, as far as the driver shows that much taken.
#pragma once

#include <functional>

#include "server/jobs/admission/gpu_state.h"

namespace pytoon::jobs::admission {

// The endpoint at one instant.
struct EndpointReading {
  bool answers = false;
  bool busy = false;  // a prompt waits or runs, whoever's
  bool dynamic_vram = false;
  // That it takes of the card, without its context; silent, at most what it took before.
  Bytes bytes = 0;
  bool freed = false;  // POST /free was answered, and its effect is measured by this reading
};

// Weights of a model, 0 when nobody knows it.
using WeightsOf = std::function<Bytes(const std::string& model)>;

EndpointSample observe_endpoint(const GpuState& before, const EndpointReading& reading,
                                const WeightsOf& weights_of, WallTime at);

}  // namespace pytoon::jobs::admission
