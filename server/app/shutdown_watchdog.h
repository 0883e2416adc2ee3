// Ends the process when stopping takes too long: a thread that hangs in a foreign library must not
// keep a node from being drained. What it held is taken over when its lease runs out.
//
// Thread rule: constructed and destroyed by the thread that stops the rest.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/log.h"

namespace pytoon::app {

class ShutdownWatchdog {
 public:
  // exit_status: of the process when it is ended here.
  ShutdownWatchdog(Log& log, std::chrono::milliseconds limit, int exit_status);
  ~ShutdownWatchdog();  // in time
  ShutdownWatchdog(const ShutdownWatchdog&) = delete;
  ShutdownWatchdog& operator=(const ShutdownWatchdog&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  bool in_time_ = false;
  std::thread thread_;
};

}  // namespace pytoon::app
