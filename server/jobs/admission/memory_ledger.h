// The promise ledger of one process, in memory: `pytoon render`, tests and the simulator.
//
// One mutex stands for the rows' locks; nothing blocks under it. Promises that count no more are
// forgotten when the next sample of their card comes.
//
// Thread rule: any thread.
#pragma once

#include <map>
#include <mutex>

#include "base/clock.h"
#include "server/jobs/admission/ledger_row.h"

namespace pytoon::jobs::admission {

class MemoryLedger final : public PromiseLedger {
 public:
  // The clock must outlive the ledger.
  MemoryLedger(const Clock& clock, LedgerOptions options) : clock_(clock), options_(options) {}

  Result<WallTime> now() override { return clock_.now(); }
  Result<Published> publish(const std::string& gpu, const Sample& sample) override;
  Result<GpuState> state(const std::string& gpu) override;
  Result<std::vector<GpuState>> states() override;
  Result<Granted> promise(const Wish& wish) override;
  Result<std::optional<Refusal>> resize(const Promise& promise, Bytes bytes) override;
  Result<std::vector<Promise>> renew(const std::vector<Promise>& promises) override;
  Status release(const Promise& promise) override;
  Status reserve(const std::string& gpu, const std::string& task, Bytes bytes,
                 std::chrono::milliseconds duration) override;
  Status unreserve(const std::string& task) override;
  Status begin_room(const std::string& gpu, const std::string& task,
                    std::chrono::milliseconds interval) override;
  Status end_room(const std::string& gpu) override;
  Result<std::vector<Promise>> expire() override;

 private:
  LedgerRow* row_of(const std::string& gpu);  // nullptr: unknown

  const Clock& clock_;
  const LedgerOptions options_;
  std::mutex mutex_;
  std::map<std::string, LedgerRow> rows_;           // guarded by mutex_
  std::map<std::string, std::string> reserved_on_;  // guarded by mutex_; task -> GPU
  std::int64_t last_epoch_ = 0;                     // guarded by mutex_
  std::vector<Promise> expired_;                    // guarded by mutex_; not given out yet
};

}  // namespace pytoon::jobs::admission
