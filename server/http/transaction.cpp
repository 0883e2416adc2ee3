#include "server/http/transaction.h"

#include <cmath>

namespace pytoon::http {

int InFlight::count() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

void InFlight::add(int change) {
  const std::lock_guard lock(mutex_);
  count_ += change;
  if (count_ == 0) none_.notify_all();
}

bool InFlight::wait_for_none(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return none_.wait_for(lock, patience, [this] { return count_ == 0; });
}

void AccessLog::record(const Transaction& transaction, SteadyTime now, bool whole) {
  const std::chrono::duration<double> elapsed = now - transaction.started_at;
  const AccessRecord record{transaction.method,
                            transaction.route,
                            transaction.status,
                            transaction.plan,
                            elapsed.count(),
                            transaction.bytes,
                            whole};
  try {
    if (observer_) observer_(record);
  } catch (...) {
    log_.error("http_observer_crash", {{"route", record.route}});
  }
  const bool reads =
      record.method == "GET" || record.method == "HEAD" || record.method == "OPTIONS";
  if (reads && record.status < 400) return;
  log_.info("http_request", {{"method", record.method},
                             {"route", record.route},
                             {"status", record.status},
                             {"ms", std::round(record.seconds * 1e5) / 100},
                             {"bytes", record.bytes},
                             {"trace_id", transaction.trace_id}});
}

}  // namespace pytoon::http
