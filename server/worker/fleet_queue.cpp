#include "server/worker/fleet_queue.h"

#include <utility>

namespace pytoon::worker {

using jobs::admission::Bytes;
using jobs::admission::CardQueue;
using jobs::admission::GpuState;
using jobs::admission::QueuedGeneration;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds kKnownFor{3000};
constexpr milliseconds kSilence{10'000};  // a card that was not measured for so long is no card
constexpr int kTasks = 1000;

}  // namespace

const FleetQueue::Known& FleetQueue::tasks_of(const std::string& engine) {
  Known& known = known_[engine];
  const SteadyTime now = clock_.steady_now();
  if (now < known.until) return known;
  known.until = now + kKnownFor;
  auto tasks = generations_.generations(engine, kTasks);
  if (tasks) known.tasks = std::move(*tasks);
  return known;
}

CardQueue FleetQueue::of(const std::string& engine, const QueuedGeneration& mine, Bytes structural,
                         std::vector<QueuedGeneration> own, WallTime now) {
  // Own ones first: they say how long they run, and each is counted once.
  const std::vector<QueuedGeneration>& others = tasks_of(engine).tasks;
  own.insert(own.end(), others.begin(), others.end());
  const Result<std::vector<GpuState>> cards = ledger_.states();
  if (!cards) return {};
  return queue_for(mine, structural, own, *cards, kSilence, now);
}

}  // namespace pytoon::worker
