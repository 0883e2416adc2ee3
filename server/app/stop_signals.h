// SIGINT and SIGTERM, blocked in this thread and all that it starts, and waited for in one place.
// Make it before any thread.
#pragma once

#include <chrono>

namespace pytoon::app {

class StopSignals {
 public:
  StopSignals();
  // True when one came within the duration.
  bool wait_for(std::chrono::milliseconds duration) const;
};

}  // namespace pytoon::app
