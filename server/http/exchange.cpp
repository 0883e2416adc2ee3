#include "server/http/exchange.h"

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

void AccessLog::record(const Exchange& exchange, SteadyTime now, bool whole) {
  const std::chrono::duration<double> elapsed = now - exchange.started_at;
  const Served served{exchange.method, exchange.route, exchange.status,
                      elapsed.count(), exchange.bytes, whole};
  try {
    if (observer_) observer_(served);
  } catch (...) {
    log_.error("http_observer_crash", {{"route", served.route}});
  }
  const bool reads =
      served.method == "GET" || served.method == "HEAD" || served.method == "OPTIONS";
  if (reads && served.status < 400) return;
  log_.info("http_request", {{"method", served.method},
                             {"route", served.route},
                             {"status", served.status},
                             {"ms", std::round(served.seconds * 1e5) / 100},
                             {"bytes", served.bytes}});
}

}  // namespace pytoon::http
