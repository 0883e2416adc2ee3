// Whether this process can still do its work at all: one latch for what only a new process mends, a
// CUDA context that is lost, threads that hang for good. Whoever finds such a thing marks the
// process; everybody else asks. There is no way back: a marked process takes no new leases, hands
// its tasks back without counting an attempt, says so on /health, /ready and in the metrics, and
// exits with kExitUnusable, so that its supervisor starts it anew.
//
// Thread rule: any thread. Asking takes a lock for nanoseconds; marking writes one line of the log.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "base/log.h"

namespace pytoon::jobs {

// The exit status of a process that was marked (EX_TEMPFAIL of sysexits(3): a new try may do).
inline constexpr int kExitUnusable = 75;

class ProcessHealth {
 public:
  // The log must outlive it.
  explicit ProcessHealth(Log& log) : log_(log) {}
  ProcessHealth(const ProcessHealth&) = delete;
  ProcessHealth& operator=(const ProcessHealth&) = delete;

  // The first reason stays; it is logged as process_unusable.
  void mark_unusable(const std::string& reason);
  bool usable() const { return !reason(); }
  // Why it is unusable, one sentence for operators; nullopt while it is fine.
  std::optional<std::string> reason() const;

 private:
  Log& log_;
  mutable std::mutex mutex_;
  std::optional<std::string> reason_;  // guarded by mutex_
};

}  // namespace pytoon::jobs
