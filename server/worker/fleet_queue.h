// What waits for the inference endpoints of the fleet, as one process remembers it for a few
// seconds: the tasks of each engine and the cards, asked of database and ledger.
//
// Thread rule: one thread at a time. of() blocks for two round trips when its answer is too old; a
// database that does not answer leaves the old one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "server/jobs/admission/generation_queue.h"
#include "server/jobs/admission/promise_ledger.h"

namespace pytoon::worker {

class FleetQueue {
 public:
  // All must outlive the queue.
  FleetQueue(jobs::admission::PromiseLedger& ledger, jobs::admission::GenerationQueue& generations,
             const Clock& clock)
      : ledger_(ledger), generations_(generations), clock_(clock) {}

  // `own` are the prompts that wait in this process: of these it is known how long they run.
  jobs::admission::CardQueue of(const std::string& engine,
                                const jobs::admission::QueuedGeneration& mine,
                                jobs::admission::Bytes structural,
                                std::vector<jobs::admission::QueuedGeneration> own, WallTime now);

 private:
  struct Known {
    SteadyTime until{};
    std::vector<jobs::admission::QueuedGeneration> tasks;
  };
  const Known& tasks_of(const std::string& engine);

  jobs::admission::PromiseLedger& ledger_;
  jobs::admission::GenerationQueue& generations_;
  const Clock& clock_;
  std::map<std::string, Known> known_;  // by engine
};

}  // namespace pytoon::worker
