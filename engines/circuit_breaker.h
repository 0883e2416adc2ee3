// Stops asking an engine that keeps failing: closed -> open after N failures in a row -> one probe
// after a cool-down -> closed again when it succeeds, else open for another cool-down.
//
// Thread rule: any thread. Whoever was allowed must report once: succeeded, failed or gave_up (no
// verdict, such as a cancel).
#pragma once

#include <chrono>
#include <mutex>
#include <string_view>

#include "base/clock.h"

namespace pytoon::engines {

struct BreakerOptions {
  int failures = 5;  // in a row
  std::chrono::milliseconds cool_down{30'000};
};

class CircuitBreaker {
 public:
  enum class State { kClosed, kOpen, kHalfOpen };
  // "closed", "open", "half_open"
  static std::string_view name_of(State state);

  CircuitBreaker(const Clock& clock, BreakerOptions options) : clock_(clock), options_(options) {}

  bool allow();
  void succeeded();
  void failed();
  void gave_up();
  State state() const;

 private:
  const Clock& clock_;
  const BreakerOptions options_;
  mutable std::mutex mutex_;  // protects what follows
  State state_ = State::kClosed;
  int failures_ = 0;
  SteadyTime opened_{};
  bool probing_ = false;
};

}  // namespace pytoon::engines
