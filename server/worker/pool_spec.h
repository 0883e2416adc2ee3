// The pools of a worker: threads by purpose, each asking for its own kinds of tasks only, so that a
// worker never leases what it has no thread for, and no purpose can starve another.
//
//   render       prepares, draws and finishes; on our own cores
//   audio        makes tracks; on our own cores
//   engine:NAME  gets footage from the engine NAME: as many threads as the engine has slots, all of
//                which may wait for minutes
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "server/jobs/pool_state.h"
#include "server/jobs/task_store.h"

namespace pytoon::worker {

struct PoolSpec {
  std::string name;
  int threads = 1;
  std::vector<jobs::TaskKind> kinds;  // that it leases
  std::vector<std::string> engines;   // whose footage (jobs::LeaseRequest)
  bool computes = true;               // false: its threads wait for somebody else's work
};

// slots: of each engine that has to be waited for. The render pool also takes the footage for which
// no engine is to be asked any more: it answers at once.
inline std::vector<PoolSpec> pools_for(int render_threads, int audio_threads,
                                       const std::vector<std::pair<std::string, int>>& slots) {
  using jobs::TaskKind;
  std::vector<PoolSpec> pools;
  pools.push_back({"render",
                   render_threads,
                   {TaskKind::kPrepare, TaskKind::kFootage, TaskKind::kRender, TaskKind::kFinish},
                   {},
                   true});
  pools.push_back({"audio", audio_threads, {TaskKind::kAudio}, {}, true});
  for (const auto& [engine, count] : slots) {
    pools.push_back({"engine:" + engine, count, {TaskKind::kFootage}, {engine}, false});
  }
  return pools;
}

// Then the process is beyond repair: what is left of the pool would be lost as well.
inline bool half_are_lost(const jobs::PoolState& pool) {
  return pool.lost > 0 && pool.lost * 2 >= pool.threads;
}

}  // namespace pytoon::worker
