#include "server/jobs/admission/ledger_row.h"

#include <algorithm>

namespace pytoon::jobs::admission {
namespace {

Promise* find(LedgerRow& row, std::int64_t epoch) {
  for (Promise& promise : row.state.promises) {
    if (promise.epoch == epoch) return &promise;
  }
  return nullptr;
}

}  // namespace

void keep_words_of_others(const GpuState& before, Sample& sample, WallTime now) {
  for (const HeldMemory& held : before.sample.held) {
    const auto is_same = [&](const auto& other) { return other.epoch == held.epoch; };
    const auto promise = std::find_if(before.promises.begin(), before.promises.end(), is_same);
    const bool lives = promise != before.promises.end() && !ended_at(*promise, now);
    const bool told = std::any_of(sample.held.begin(), sample.held.end(), is_same);
    if (lives && !told) sample.held.push_back(held);
  }
}

Result<Published> publish_to(LedgerRow& row, const Sample& sample, const LedgerOptions& options,
                             WallTime now) {
  if (row.state.sample.total > 0 && sample.at <= row.state.sample.at) {
    return failure(FailureKind::kConflict, "a younger sample of " + row.state.uuid + " is there");
  }
  if (sample.at > now) {
    return failure(FailureKind::kConflict, "the sample of " + row.state.uuid +
                                               " is from the future: it has another clock's time");
  }
  Sample whole = sample;
  keep_words_of_others(row.state, whole, now);
  row.state.sample = std::move(whole);
  Published published;
  published.balance = balance_of(row.state, options, now);
  published.violation_began = published.balance.violated && !row.violated;
  published.headroom_use_began = published.balance.headroom_used && !row.headroom_used;
  row.violated = published.balance.violated;
  row.headroom_used = published.balance.headroom_used;
  return published;
}

Granted promise_from(LedgerRow& row, const Wish& wish, std::int64_t epoch,
                     const LedgerOptions& options, WallTime now) {
  if (const auto refused = refusal_of(row.state, wish, options, now)) return *refused;
  Promise promise;
  promise.epoch = epoch;
  promise.gpu = wish.gpu;
  promise.worker_id = wish.worker_id;
  promise.task = wish.task;
  promise.lane = wish.lane;
  promise.bytes = wish.bytes;
  promise.model = wish.model;
  promise.encoder_sessions = wish.encoder_sessions;
  promise.given_at = now;
  promise.ends_at = now + wish.duration;
  promise.expires_at = now + options.lease;
  row.state.promises.push_back(promise);
  row.state.foreign_at_last_promise = row.state.sample.foreign;
  if (row.state.reservation && row.state.reservation->task == wish.task) {
    row.state.reservation.reset();
  }
  return promise;
}

Result<std::optional<Refusal>> resize_in(LedgerRow& row, std::int64_t epoch, Bytes bytes,
                                         const LedgerOptions& options, WallTime now) {
  Promise* const promise = find(row, epoch);
  if (promise == nullptr || ended_at(*promise, now)) {
    return failure(FailureKind::kConflict, "the promise has ended");
  }
  if (const auto refused = refusal_to_grow(row.state, *promise, bytes, options, now)) {
    return std::optional(*refused);
  }
  promise->bytes = bytes;
  return std::optional<Refusal>();
}

bool renew_in(LedgerRow& row, std::int64_t epoch, const LedgerOptions& options, WallTime now) {
  Promise* const promise = find(row, epoch);
  if (promise == nullptr || ended_at(*promise, now)) return false;
  // Whoever judged by this sample, a moment ahead of us, has given the memory to others.
  if (row.state.sample.at > promise->expires_at) return false;
  promise->expires_at = now + options.lease;
  return true;
}

void release_in(LedgerRow& row, std::int64_t epoch, WallTime now) {
  Promise* const promise = find(row, epoch);
  if (promise != nullptr && !promise->released_at) promise->released_at = now;
}

Status reserve_in(LedgerRow& row, const Reservation& reservation, WallTime now) {
  if (reservation_stands(row.state, now) && row.state.reservation->task != reservation.task) {
    return failure(FailureKind::kConflict, row.state.uuid + " is kept for another task");
  }
  row.state.reservation = reservation;
  return ok_status();
}

Status begin_room_in(LedgerRow& row, const std::string& task, std::chrono::milliseconds interval,
                     WallTime now) {
  const std::optional<RoomMaking>& last = row.state.room;
  if (last && now - last->asked_at < interval) {
    return failure(FailureKind::kConflict, "room was made on " + row.state.uuid + " just now");
  }
  for (const Promise& promise : row.state.promises) {
    if (promise.lane == Lane::kGenerate && !ended_at(promise, now)) {
      return failure(FailureKind::kConflict, "a prompt runs on " + row.state.uuid);
    }
  }
  row.state.room = RoomMaking{task, now, false};
  return ok_status();
}

std::vector<Promise> expire_in(LedgerRow& row, WallTime now) {
  std::vector<Promise> expired;
  std::erase_if(row.state.promises, [&](const Promise& promise) {
    if (counts(promise, row.state.sample, now)) return false;
    if (!promise.released_at) expired.push_back(promise);
    return true;
  });
  return expired;
}

}  // namespace pytoon::jobs::admission
