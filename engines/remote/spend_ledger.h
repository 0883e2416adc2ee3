// What was ordered from engines that cost money: so that no segment is paid for twice, whatever
// crashes when, and that no more is spent than the caps allow.
//
// A purchase is named by its key (engine, job, run, segment). Its life:
//   begin() -> kNew, from then on kAsked -> ordered() -> kOrdered -> perhaps ended() -> kEnded
//   released() forgets it: the provider surely took nothing.
// Who begins a purchase that was begun before gets its state: kAsked means that the order may or
// may not have arrived; kOrdered carries the provider's id, whose result can be fetched again.
//
// Thread rule: any thread. The file-backed one blocks on an fsync for each change and belongs to
// one process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace pytoon::engines {

struct SpendCaps {
  std::int64_t per_job_micro_usd = 0;
  std::int64_t per_day_micro_usd = 0;  // a day of UTC
};

struct Purchase {
  enum class State { kNew, kAsked, kOrdered, kEnded };
  State state = State::kNew;
  std::string job_id;
  std::string remote_id;
  std::int64_t micro_usd = 0;
  std::int64_t begun_s = 0;  // Unix time
};

class SpendLedger {
 public:
  virtual ~SpendLedger() = default;
  // kForbidden naming the cap that it would break.
  virtual Result<Purchase> begin(const std::string& key, const std::string& job_id,
                                 std::int64_t micro_usd) = 0;
  virtual Status ordered(const std::string& key, const std::string& remote_id) = 0;
  virtual Status ended(const std::string& key) = 0;
  virtual Status released(const std::string& key) = 0;
};

class MemoryLedger : public SpendLedger {
 public:
  MemoryLedger(const Clock& clock, SpendCaps caps) : clock_(clock), caps_(caps) {}

  Result<Purchase> begin(const std::string& key, const std::string& job_id,
                         std::int64_t micro_usd) override;
  Status ordered(const std::string& key, const std::string& remote_id) override;
  Status ended(const std::string& key) override;
  Status released(const std::string& key) override;

 protected:
  // Called with the lock held, before the change counts. purchase is null when it is forgotten.
  virtual Status record(const std::string& key, const Purchase* purchase);
  void restore(const std::string& key, Purchase purchase) { purchases_[key] = std::move(purchase); }
  void forget(const std::string& key) { purchases_.erase(key); }
  const std::map<std::string, Purchase>& purchases() const { return purchases_; }
  std::int64_t now_s() const;

 private:
  Status within_caps(const std::string& job_id, std::int64_t micro_usd) const;
  Status change(const std::string& key, Purchase::State state, const std::string& remote_id);

  const Clock& clock_;
  const SpendCaps caps_;
  std::mutex mutex_;  // protects what follows
  std::map<std::string, Purchase> purchases_;
};

// A journal of JSON lines, synced line by line; rewritten short when it is opened. A torn last line
// (a crash while writing) is dropped: it was never reported as done.
class FileLedger final : public MemoryLedger {
 public:
  static Result<std::unique_ptr<FileLedger>> open(const std::filesystem::path& journal,
                                                  const Clock& clock, SpendCaps caps);

 protected:
  Status record(const std::string& key, const Purchase* purchase) override;

 private:
  FileLedger(std::filesystem::path journal, const Clock& clock, SpendCaps caps);
  void read(const std::string& text);
  Status rewrite() const;

  const std::filesystem::path journal_;
};

}  // namespace pytoon::engines
