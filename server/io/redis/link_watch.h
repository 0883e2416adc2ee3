// Whether something that we can do without is there: said in the log when it changes, readable for
// readiness ("degraded") and metrics at any time.
//
// Thread rule: any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/log.h"

namespace pytoon::io {

struct LinkState {
  bool connected = false;     // not before the first time it was reached
  WallTime since;             // of the last change; at first, of the making
  std::string detail;         // why it is missing; "" when it isn't
  std::int64_t connects = 0;  // times it was reached after it was missing; the first one counts
  std::int64_t failures = 0;  // times it broke or could not be reached
};

class LinkWatch {
 public:
  // `what` names it in log lines ("notifier"). Clock and log must outlive this.
  LinkWatch(std::string what, const Clock& clock, Log& log);

  void up();                             // redis_connected, when it was not
  void down(const std::string& detail);  // redis_missing, when it was not known to be
  LinkState state() const;

 private:
  const std::string what_;
  const Clock& clock_;
  Log& log_;
  mutable std::mutex mutex_;
  LinkState state_;     // guarded by mutex_
  bool known_ = false;  // guarded by mutex_
};

}  // namespace pytoon::io
