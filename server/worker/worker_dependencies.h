// What a worker stands on, handed in by whoever wires the process, and how it behaves.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"
#include "engines/engine_chain.h"
#include "engines/job_time.h"
#include "pipeline/media/decoder/file_decoder.h"
#include "pipeline/render/renderer.h"
#include "server/jobs/job_trace.h"
#include "server/jobs/ports.h"
#include "server/jobs/process_health.h"
#include "server/jobs/task_store.h"

namespace pytoon::worker {

class GpuAdmission;

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
  jobs::ProcessHealth& process;           // marked when this process can draw no more
  GpuAdmission* gpu_admission = nullptr;  // null where nothing is composed on a card
  media::FileDecoder* decoder = nullptr;  // null: engines get images as they were sent
  jobs::SpanSink* spans = nullptr;        // null: nobody asks for spans
};

struct Options {
  std::string worker_id;  // who we are in leases: unique for each start of a process
  std::chrono::milliseconds lease{20'000};  // renewed at a quarter of it
  // No other process leases from the store: then leases don't run out, so that no slowness of ours
  // can lose one, and nobody is reaped.
  bool sole_owner = false;
  std::chrono::milliseconds back_off{1000};  // doubles
  std::chrono::milliseconds back_off_max{30'000};
  // A piece of work that shows no progress for so long is stuck; of footage, beyond its engine's
  // own limits.
  std::chrono::milliseconds stuck_after{60'000};
  int render_threads = 1;  // segments at once
  bool reuse = true;       // of other jobs' segments, where the job allows it
  int audio_threads = 1;   // tracks at once
  engines::JobTime job_time;
};

}  // namespace pytoon::worker
