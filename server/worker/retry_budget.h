// How long to wait for a machine that refuses (a full disk, a database that is away), and when to
// stop believing that it will give in. Shared by the tasks of a process.
//
// Thread rule: any thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <mutex>

namespace pytoon::worker {

class RetryBudget {
 public:
  RetryBudget(std::chrono::milliseconds first, std::chrono::milliseconds most)
      : first_(first), most_(most) {}

  // Doubles with every call since the last success.
  std::chrono::milliseconds next_delay() {
    const std::lock_guard lock(mutex_);
    delay_ = std::clamp(delay_ * 2, first_, most_);
    return delay_;
  }
  // Counts a refusal of the operating system; false when there were too many in a row.
  bool allow() {
    const std::lock_guard lock(mutex_);
    return ++refusals_ <= kRefusalsMax;
  }
  void succeeded() {
    const std::lock_guard lock(mutex_);
    delay_ = std::chrono::milliseconds(0);
    refusals_ = 0;
  }

 private:
  static constexpr int kRefusalsMax = 5;

  const std::chrono::milliseconds first_;
  const std::chrono::milliseconds most_;
  std::mutex mutex_;
  std::chrono::milliseconds delay_{0};
  int refusals_ = 0;
};

}  // namespace pytoon::worker
