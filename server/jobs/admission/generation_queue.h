// What waits for the inference endpoints of the whole fleet, and how long that is for one task: the
// ground on which it is decided whether waiting pays (decide_spill). A process sees the prompts
// that it has leased; most of what waits is in the database.
//
// Thread rule: GenerationQueue for any thread, blocks for a round trip; the rest is pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "server/jobs/admission/request.h"

namespace pytoon::jobs::admission {

struct GpuState;

// A task that is to be done by an endpoint and is not done yet, whoever has leased it, if anybody.
struct QueuedGeneration {
  std::string task;  // as promises name it
  int priority = 0;
  WallTime waiting_since;
  std::chrono::milliseconds run{0};  // expected; 0: nobody here knows its workflow
  bool operator==(const QueuedGeneration&) const = default;
};

class GenerationQueue {
 public:
  virtual ~GenerationQueue() = default;
  // Those of one engine, the next first, at most `limit`: the rest is later than anything that is
  // decided now. `run` is 0.
  virtual Result<std::vector<QueuedGeneration>> generations(const std::string& engine,
                                                            int limit) = 0;
};

// What `mine` would wait for: the rest of what runs on the cards that have an endpoint and could
// hold it, the run time of those served before it, and how many come after. Who has a promise
// runs and does not wait. `mine.run` stands in where a run time is not known. A card that was not
// measured for longer than `silence` is no card.
CardQueue queue_for(const QueuedGeneration& mine, Bytes structural,
                    std::span<const QueuedGeneration> waiting, std::span<const GpuState> cards,
                    std::chrono::milliseconds silence, WallTime now);

}  // namespace pytoon::jobs::admission
