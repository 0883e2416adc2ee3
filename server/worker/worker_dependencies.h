// What a worker stands on, handed in by whoever wires the process, and how it behaves.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"
#include "engines/engine_chain.h"
#include "engines/job_time.h"
#include "pipeline/render/renderer.h"
#include "server/jobs/ports.h"
#include "server/jobs/process_health.h"
#include "server/jobs/task_store.h"

namespace pytoon::worker {

// All must outlive the worker.
struct WorkerDependencies {
  jobs::JobStore& jobs;
  jobs::TaskStore& tasks;
  jobs::ObjectStore& storage;
  render::Renderer& renderer;
  engines::EngineChain& engine_chain;
  const spec::PresetTable& presets;
  jobs::JobMetrics& metrics;
  Clock& clock;
  Log& log;
  jobs::ProcessHealth& process;  // marked when this process can draw no more
};

struct Options {
  std::string worker_id;  // who we are in leases: unique for each start of a process
  std::chrono::milliseconds lease{20'000};   // renewed at a quarter of it
  std::chrono::milliseconds back_off{1000};  // doubles
  std::chrono::milliseconds back_off_max{30'000};
  // A piece of work that draws no frame for so long is stuck. Footage has its engine's own limits.
  std::chrono::milliseconds stuck_after{60'000};
  engines::JobTime job_time;
  std::filesystem::path last_logo;  // used when storage has no brand logo; "" is none
};

}  // namespace pytoon::worker
