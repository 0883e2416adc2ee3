// What a job waits for, in words for its owner. What one of its tasks says itself (TaskStore::
// put_waiting) comes first; else it waits for its turn, for a worker that has what it needs, or for
// a thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/jobs/job.h"
#include "server/jobs/worker_registry.h"

namespace pytoon::jobs {

// What the next task of a job needs of a worker.
struct ReadyTask {
  std::string encoder;  // of a render task, else ""
  std::string engine;   // of a footage task, else ""
};

// "" when nothing waits. idle: the next task of a live job of which nobody holds one. `workers`:
// those seen lately. Pure.
std::string waiting_text(const Job& job, const std::optional<ReadyTask>& idle,
                         const std::vector<WorkerInfo>& workers);

}  // namespace pytoon::jobs
