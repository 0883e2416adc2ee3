#include "server/jobs/admission/generation_queue.h"

#include <algorithm>
#include <set>

#include "server/jobs/admission/ledger_rules.h"

namespace pytoon::jobs::admission {

using std::chrono::milliseconds;

namespace {

bool could_hold(const GpuState& card, Bytes structural, milliseconds silence, WallTime now) {
  return card.sample.endpoint.state != EndpointSample::State::kAbsent &&
         is_fresh(card.sample, now, silence) && usable_bytes(card.sample) >= structural;
}

bool served_before(const QueuedGeneration& one, const QueuedGeneration& other) {
  if (one.priority != other.priority) return one.priority > other.priority;
  return one.waiting_since < other.waiting_since;
}

}  // namespace

CardQueue queue_for(const QueuedGeneration& mine, Bytes structural,
                    std::span<const QueuedGeneration> waiting, std::span<const GpuState> cards,
                    milliseconds silence, WallTime now) {
  CardQueue queue;
  std::set<std::string> counted{mine.task};
  for (const GpuState& card : cards) {
    const bool fits = could_hold(card, structural, silence, now);
    queue.cards += fits ? 1 : 0;
    for (const Promise& promise : card.promises) {
      if (promise.lane != Lane::kGenerate) continue;
      counted.insert(promise.task);
      const auto rest = std::chrono::duration_cast<milliseconds>(promise.ends_at - now);
      if (fits) queue.queued += std::max(rest, milliseconds(0));
    }
  }
  for (const QueuedGeneration& one : waiting) {
    if (!counted.insert(one.task).second) continue;
    if (served_before(one, mine)) {
      queue.queued += one.run.count() > 0 ? one.run : mine.run;
    } else {
      ++queue.behind;
    }
  }
  return queue;
}

}  // namespace pytoon::jobs::admission
