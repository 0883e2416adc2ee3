#include "server/worker/promise_keeper.h"

#include <algorithm>
#include <utility>

namespace pytoon::worker {

using jobs::admission::Bytes;
using jobs::admission::Granted;
using jobs::admission::HeldMemory;
using jobs::admission::Lane;
using jobs::admission::Promise;
using jobs::admission::Wish;

PromiseKeeper::PromiseKeeper(jobs::admission::PromiseLedger& ledger, Log& log,
                             std::string worker_id, Card card)
    : ledger_(ledger), log_(log), worker_id_(std::move(worker_id)), card_(std::move(card)) {
  const std::lock_guard lock(mutex_);
  set_budget();
}

Result<Granted> PromiseKeeper::promise(Wish wish, std::function<void()> lost) {
  wish.worker_id = worker_id_;
  Result<Granted> granted = ledger_.promise(wish);
  if (!granted) return granted;
  if (const auto* const promise = std::get_if<Promise>(&*granted)) {
    const std::lock_guard lock(mutex_);
    kept_.push_back({*promise, std::move(lost)});
    set_budget();
  }
  return granted;
}

void PromiseKeeper::release(const Promise& promise) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(kept_, [&](const Kept& kept) { return kept.promise.epoch == promise.epoch; });
    set_budget();
  }
  if (ledger_.release(promise)) return;
  const std::lock_guard lock(mutex_);
  unreleased_.push_back(promise);
}

std::vector<Promise> PromiseKeeper::take_unreleased() {
  const std::lock_guard lock(mutex_);
  return std::exchange(unreleased_, {});
}

void PromiseKeeper::renew() {
  for (const Promise& promise : take_unreleased()) release(promise);
  const std::vector<Promise> ours = live();
  if (ours.empty()) return;
  const Result<std::vector<Promise>> gone = ledger_.renew(ours);
  if (!gone) return;  // the next one may still be in time
  for (const Promise& promise : *gone) {
    std::function<void()> lost;
    {
      const std::lock_guard lock(mutex_);
      const auto kept = std::find_if(kept_.begin(), kept_.end(), [&](const Kept& one) {
        return one.promise.epoch == promise.epoch;
      });
      if (kept == kept_.end()) continue;  // released meanwhile
      lost = std::move(kept->lost);
      kept_.erase(kept);
    }
    log_.warning("gpu_promise_lost", {{"gpu", promise.gpu}, {"task", promise.task}});
    if (lost) lost();
  }
}

std::vector<Promise> PromiseKeeper::live() const {
  const std::lock_guard lock(mutex_);
  std::vector<Promise> promises;
  for (const Kept& kept : kept_) promises.push_back(kept.promise);
  return promises;
}

Bytes PromiseKeeper::promised_to_segments() const {
  Bytes promised = 0;
  for (const Kept& kept : kept_) {
    if (kept.promise.lane == Lane::kRender) promised += kept.promise.bytes;
  }
  return promised;
}

// The pool keeps what segments gave back, so it is the process's reservation that the driver counts
// as taken: shared out among the promises by their sizes.
std::vector<HeldMemory> PromiseKeeper::held() const {
  const std::lock_guard lock(mutex_);
  std::vector<HeldMemory> held;
  if (card_.device == nullptr) return held;
  const Bytes promised = promised_to_segments();
  const auto taken = static_cast<Bytes>(card_.device->reserved_bytes());
  const Bytes of_segments =
      std::clamp(taken - static_cast<Bytes>(card_.cache_bytes), Bytes{0}, promised);
  for (const Kept& kept : kept_) {
    if (kept.promise.lane != Lane::kRender || promised == 0) continue;
    const double share = static_cast<double>(kept.promise.bytes) / static_cast<double>(promised);
    held.push_back(
        {kept.promise.epoch, static_cast<Bytes>(share * static_cast<double>(of_segments))});
  }
  return held;
}

void PromiseKeeper::set_budget() {
  if (card_.device == nullptr) return;
  card_.device->set_memory_budget(static_cast<std::uint64_t>(promised_to_segments()) +
                                  card_.cache_bytes);
}

}  // namespace pytoon::worker
