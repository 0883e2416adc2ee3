// The signals that mean something to us, blocked in this thread and all that it starts, and waited
// for in one place: SIGINT, SIGTERM and SIGQUIT, which end the process in order, and SIGHUP, which
// asks for its keys to be read again. Make it before any thread.
#pragma once

#include <chrono>

namespace pytoon::app {

class StopSignals {
 public:
  StopSignals();
  enum class Order { kNone, kStop, kReload };

  // The first that came within the duration.
  Order wait_for(std::chrono::milliseconds duration) const;
};

}  // namespace pytoon::app
