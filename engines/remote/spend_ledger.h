// What was ordered from engines that cost money: so that no segment is paid for twice, whatever
// crashes when, and that all workers together spend no more than the caps allow.
//
// A purchase is named by its key (engine, job, run, segment) and reserved before the order is sent.
// Its life:
//   reserve() -> kNew, from then on kAsked -> ordered() -> kOrdered -> perhaps ended() -> kEnded
//   released() forgets it and gives its money back: the provider surely took nothing.
// Who reserves what was reserved before gets its state and reserves nothing more: kAsked means that
// the order may or may not have arrived, and counts as spent; kOrdered carries the provider's id,
// whose result can be fetched again.
//
// Money is counted in micro-USD: for a job in all its runs, and for the day (of UTC, by the
// ledger's clock) on which it was reserved.
//
// Thread rule: any thread. Blocks for a transaction. Errors: kUnavailable while the ledger is away;
// the change may then have been made or not, and may be made again.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace pytoon::engines {

struct SpendCaps {
  std::int64_t per_job_micro_usd = 0;
  std::int64_t per_day_micro_usd = 0;  // a day of UTC
};

struct Reservation {
  std::string key;
  std::string job_id;
  std::int64_t micro_usd = 0;  // 0 is allowed whatever the caps
};

struct Purchase {
  enum class State { kNew, kAsked, kOrdered, kEnded };
  State state = State::kNew;
  std::string remote_id;
};

class SpendLedger {
 public:
  virtual ~SpendLedger() = default;
  // kForbidden naming the cap that it would break; nothing is reserved then.
  virtual Result<Purchase> reserve(const Reservation& wish, const SpendCaps& caps) = 0;
  // kInternal when it was never reserved.
  virtual Status ordered(const std::string& key, const std::string& remote_id) = 0;
  virtual Status ended(const std::string& key) = 0;
  // Does nothing to what was ordered, ended or is not known.
  virtual Status released(const std::string& key) = 0;
  // Today, by all workers.
  virtual Result<std::int64_t> spent_today_micro_usd() = 0;
};

// "12.50 USD"
std::string usd_text(std::int64_t micro_usd);

}  // namespace pytoon::engines
