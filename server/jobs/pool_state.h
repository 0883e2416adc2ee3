// A pool of threads for one purpose, as metrics and GET /api/v1/admin/capacity show it: a snapshot,
// already old when it is read.
#pragma once

#include <string>

namespace pytoon::jobs {

struct PoolState {
  std::string name;  // "render", "audio", "engine:api", "http_uploads": a closed set for a process
  int threads = 0;   // that the configuration asks for
  int busy = 0;      // of them, at work; threads that are lost not included
  int lost = 0;      // hung for good; replaced by new ones, which `threads` counts instead
  int queued = 0;    // pieces of work that wait in this process for a thread; 0 where they wait in
                     // the database
  // Of an engine's pool, its circuit breaker: "closed", "open" (it is left alone for a while),
  // "half_open" (it is tried once); "" of all others.
  std::string breaker;
};

}  // namespace pytoon::jobs
