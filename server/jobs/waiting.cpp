#include "server/jobs/waiting.h"

#include <algorithm>

namespace pytoon::jobs {
namespace {

template <typename Has>
bool any(const std::vector<WorkerInfo>& workers, const Has& has) {
  return std::any_of(workers.begin(), workers.end(),
                     [&](const WorkerInfo& worker) { return !worker.draining && has(worker); });
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Threads of the pool in all workers, and whether all of them are at work.
struct Threads {
  int all = 0;
  int busy = 0;
};

Threads render_threads(const std::vector<WorkerInfo>& workers) {
  Threads threads;
  for (const WorkerInfo& worker : workers) {
    for (const PoolState& pool : worker.pools) {
      if (worker.draining || pool.name != "render") continue;
      threads.all += pool.threads;
      threads.busy += pool.busy;
    }
  }
  return threads;
}

std::string busy_text(const std::vector<WorkerInfo>& workers) {
  const Threads threads = render_threads(workers);
  if (threads.all == 0 || threads.busy < threads.all) return "";
  if (threads.all == 1) return "a render thread: the only one is busy";
  return "a render thread: all " + std::to_string(threads.all) + " are busy";
}

std::string turn_text(std::int64_t position) {
  if (position == 2) return "its turn: 1 job is ahead of it";
  return "its turn: " + std::to_string(position - 1) + " jobs are ahead of it";
}

}  // namespace

std::string waiting_text(const Job& job, const std::optional<ReadyTask>& idle,
                         const std::vector<WorkerInfo>& workers) {
  if (is_terminal(job.status) || !job.waiting_for.empty()) return job.waiting_for;
  const bool queued = job.status == JobStatus::kQueued;
  if (!queued && !idle) return "";
  if (!any(workers, [](const WorkerInfo&) { return true; })) return "a worker: none is running";
  if (idle && !idle->encoder.empty() &&
      !any(workers, [&](const auto& worker) { return contains(worker.encoders, idle->encoder); })) {
    return "the encoder " + idle->encoder + ": no live worker has it";
  }
  if (idle && !idle->engine.empty() &&
      !any(workers, [&](const auto& worker) { return contains(worker.engines, idle->engine); })) {
    return "the engine " + idle->engine + ": no live worker has it";
  }
  if (queued && job.queue_position > 1) return turn_text(job.queue_position);
  return busy_text(workers);
}

}  // namespace pytoon::jobs
