// Admission control for the cards of this node, where there are any: NVML, or CUDA where NVML is
// not there, the device that composes, and the ComfyUI servers.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "engines/engine_registry.h"
#include "server/app/config.h"
#include "server/app/render_stack.h"
#include "server/io/sql_store.h"
#include "server/jobs/ports.h"
#include "server/worker/gpu_admission.h"

namespace pytoon::app {

struct AdmissionParts {
  const Config& config;
  RenderStack& stack;
  io::SqlStore& store;
  engines::EngineRegistry& engines;
  jobs::JobMetrics& metrics;
  Clock& clock;
  Log& log;
};

// What the files of the workflows say that run on our own cards, by workflow.
std::map<std::string, jobs::admission::Profile> workflow_profiles(const Config& config);

// Null where no card can be seen: then nothing is promised, and nothing of ours is on one. Blocks
// for some tens of milliseconds. The engines' prompts are admitted by it from then on.
std::unique_ptr<worker::GpuAdmission> open_gpu_admission(const AdmissionParts& parts,
                                                         const std::string& worker_id);

}  // namespace pytoon::app
