// How long to wait for a machine that refuses (a full disk, a database that is away), and when to
// stop believing that it will give in: the retry budget that the tasks of a process share.
//
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "base/backoff.h"

namespace pytoon::worker {

class RetryBudget {
 public:
  RetryBudget(BackoffLimits limits, std::uint64_t seed) : backoff_(limits, seed) {}

  // Grows with every call since the last success.
  std::chrono::milliseconds next_delay() {
    const std::lock_guard lock(mutex_);
    return backoff_.next();
  }
  // Counts a failure that may pass (Persistence::kDoubtful); false when there were too many in a
  // row.
  bool allow() {
    const std::lock_guard lock(mutex_);
    return ++refusals_ <= kRefusalsMax;
  }
  void succeeded() {
    const std::lock_guard lock(mutex_);
    backoff_.reset();
    refusals_ = 0;
  }

 private:
  static constexpr int kRefusalsMax = 5;

  std::mutex mutex_;  // protects what follows
  Backoff backoff_;
  int refusals_ = 0;
};

}  // namespace pytoon::worker
