// The promises of GPU memory that this process has: asked for, renewed at a third of their lease,
// given back, and put on the device as its budget, so that what was predicted too low fails in our
// own account and never in a neighbour.
//
// The budget of the device is the sum of the promises to its segments and what the cache of
// prepared images may keep between them. What the cache keeps is not promised: it is taken already,
// and lowers what the driver calls free. Of what the process has taken it counts as the first part,
// so that no promise ever looks more held than it is.
//
// A promise that could not be renewed in time is nobody's: whoever has it is told, and must stop.
//
// Thread rule: any thread; blocks for the ledger's round trips.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "gpu/device.h"
#include "server/jobs/admission/promise_ledger.h"

namespace pytoon::worker {

class PromiseKeeper {
 public:
  struct Card {
    gpu::Device* device = nullptr;  // that composes here; null: none of ours
    std::string gpu;                // its UUID as the reader spells it; "" without one
    std::uint64_t cache_bytes = 0;  // that may stay on it between segments
  };

  // All must outlive the keeper.
  PromiseKeeper(jobs::admission::PromiseLedger& ledger, Log& log, std::string worker_id, Card card);

  // lost: called once, by renew(), when the promise is no more before it was released. Must not
  // block.
  Result<jobs::admission::Granted> promise(jobs::admission::Wish wish, std::function<void()> lost);
  // Its memory was given back. Where the ledger is away it is told later.
  void release(const jobs::admission::Promise& promise);
  void renew();

  std::vector<jobs::admission::Promise> live() const;
  // What our segments hold of their promises at this moment.
  std::vector<jobs::admission::HeldMemory> held() const;
  const std::string& gpu() const { return card_.gpu; }
  const gpu::Device* device() const { return card_.device; }

 private:
  struct Kept {
    jobs::admission::Promise promise;
    std::function<void()> lost;
  };

  jobs::admission::Bytes promised_to_segments() const;  // with the lock held
  void set_budget();                                    // with the lock held
  std::vector<jobs::admission::Promise> take_unreleased();

  jobs::admission::PromiseLedger& ledger_;
  Log& log_;
  const std::string worker_id_;
  const Card card_;
  mutable std::mutex mutex_;
  std::vector<Kept> kept_;                            // this and what follows: mutex_
  std::vector<jobs::admission::Promise> unreleased_;  // the ledger does not know it yet
};

}  // namespace pytoon::worker
