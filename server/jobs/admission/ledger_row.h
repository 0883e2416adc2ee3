// One GPU's row of the promise ledger: each operation of promise_ledger.h as a change of a value,
// to be called under whatever lock the ledger has for that row. Pure; the ledgers bring the lock,
// the time and the epochs.
//
// Thread rule: a plain value.
#pragma once

#include "server/jobs/admission/promise_ledger.h"

namespace pytoon::jobs::admission {

struct LedgerRow {
  GpuState state;
  bool violated = false;       // as of the newest sample
  bool headroom_used = false;  // as of the newest sample
};

// Each process knows what its own promises hold and says nothing of the others': of those the
// newest word stays. It may be a moment old, which is no harm: what a promise holds only grows
// until its memory is given back, and then it is released, or its process died, and then nobody
// takes that memory again.
void keep_words_of_others(const GpuState& before, Sample& sample, WallTime now);

Result<Published> publish_to(LedgerRow& row, const Sample& sample, const LedgerOptions& options,
                             WallTime now);
// `epoch` is taken when the promise is given.
Granted promise_from(LedgerRow& row, const Wish& wish, std::int64_t epoch,
                     const LedgerOptions& options, WallTime now);
Result<std::optional<Refusal>> resize_in(LedgerRow& row, std::int64_t epoch, Bytes bytes,
                                         const LedgerOptions& options, WallTime now);
// False when the promise is no more.
bool renew_in(LedgerRow& row, std::int64_t epoch, const LedgerOptions& options, WallTime now);
void release_in(LedgerRow& row, std::int64_t epoch, WallTime now);
Status reserve_in(LedgerRow& row, const Reservation& reservation, WallTime now);
Status begin_room_in(LedgerRow& row, const std::string& task, std::chrono::milliseconds interval,
                     WallTime now);
// Takes out promises that count no more; gives those of them that were never released.
std::vector<Promise> expire_in(LedgerRow& row, WallTime now);

}  // namespace pytoon::jobs::admission
