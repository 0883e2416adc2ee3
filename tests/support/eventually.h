// Waiting in tests for what another thread or process will do: never a sleep that is hoped to be
// long enough.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace pytoon::support {

// Looks again and again. False when it did not come to hold within `patience`: the test then fails.
template <typename Condition>
bool eventually(const Condition& holds, std::chrono::milliseconds patience,
                std::chrono::milliseconds between_looks = std::chrono::milliseconds(2)) {
  SystemClock clock;
  const SteadyTime give_up = clock.steady_now() + patience;
  while (!holds()) {
    if (clock.steady_now() >= give_up) return false;
    clock.sleep_for(between_looks);
  }
  return true;
}

}  // namespace pytoon::support
