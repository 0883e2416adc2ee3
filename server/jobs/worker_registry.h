// Who is there: the workers that were heard of lately, and whether new jobs are taken at all.
//
// Thread rule and errors of the machine: as in job_store.h.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "server/jobs/pool_state.h"

namespace pytoon::jobs {

struct WorkerInfo {
  std::string worker_id;
  std::string host;
  int pid = 0;
  int threads = 0;
  std::string device;                 // for people
  std::string device_kind;            // "cpu", "cuda"
  std::vector<std::string> encoders;  // best first
  std::vector<std::string> engines;   // of footage, that have to be waited for
  std::vector<PoolState> pools;       // as they were when it was seen
  bool draining = false;              // takes no new leases
  int held = 0;                       // leases; filled in by workers()
  WallTime started_at;
  WallTime seen_at;  // by the database's clock
};

// A worker that was not heard of for so long counts as gone where nobody says otherwise.
inline constexpr std::chrono::milliseconds kWorkerSeenWithin{30'000};

class WorkerRegistry {
 public:
  virtual ~WorkerRegistry() = default;

  // Both also say that it lives: deaths of it that were counted (TaskStore::reap()) are taken back.
  virtual Status upsert_worker(const WorkerInfo& worker) = 0;
  virtual Status remove_worker(const std::string& worker_id) = 0;  // at an orderly stop
  virtual Result<std::vector<WorkerInfo>> workers(std::chrono::milliseconds seen_within) = 0;

  // While draining, the API takes no new jobs; those it took are finished.
  virtual Status set_draining(bool draining) = 0;
  virtual Result<bool> draining() = 0;
};

}  // namespace pytoon::jobs
