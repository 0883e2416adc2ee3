#include "server/jobs/process_health.h"

namespace pytoon::jobs {

void ProcessHealth::mark_unusable(const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (reason_) return;
    reason_ = reason;
  }
  log_.error("process_unusable", {{"reason", reason}, {"exit_status", kExitUnusable}});
}

std::optional<std::string> ProcessHealth::reason() const {
  const std::lock_guard lock(mutex_);
  return reason_;
}

}  // namespace pytoon::jobs
