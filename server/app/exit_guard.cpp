#include "server/app/exit_guard.h"

#include <cstdlib>

namespace pytoon::app {

ExitGuard::ExitGuard(Log& log, std::chrono::milliseconds limit, int exit_status)
    : thread_([this, &log, limit, exit_status] {
        std::unique_lock lock(mutex_);
        if (done_.wait_for(lock, limit, [this] { return in_time_; })) return;
        log.error("stop_cut_short",
                  {{"limit_seconds", std::chrono::duration<double>(limit).count()}});
        std::_Exit(exit_status);
      }) {}

ExitGuard::~ExitGuard() {
  {
    const std::lock_guard lock(mutex_);
    in_time_ = true;
  }
  done_.notify_all();
  thread_.join();
}

}  // namespace pytoon::app
