#include "server/app/shutdown_watchdog.h"

#include <cstdlib>

namespace pytoon::app {

ShutdownWatchdog::ShutdownWatchdog(Log& log, std::chrono::milliseconds limit, int exit_status)
    : thread_([this, &log, limit, exit_status] {
        std::unique_lock lock(mutex_);
        if (done_.wait_for(lock, limit, [this] { return in_time_; })) return;
        log.error("shutdown_timeout",
                  {{"limit_seconds", std::chrono::duration<double>(limit).count()}});
        std::_Exit(exit_status);
      }) {}

ShutdownWatchdog::~ShutdownWatchdog() {
  {
    const std::lock_guard lock(mutex_);
    in_time_ = true;
  }
  done_.notify_all();
  thread_.join();
}

}  // namespace pytoon::app
