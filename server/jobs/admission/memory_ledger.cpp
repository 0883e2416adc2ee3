#include "server/jobs/admission/memory_ledger.h"

namespace pytoon::jobs::admission {
namespace {

Failure unknown(const std::string& gpu) {
  return failure(FailureKind::kNotFound, "no sample of " + gpu + " was ever published");
}

}  // namespace

LedgerRow* MemoryLedger::row_of(const std::string& gpu) {
  const auto found = rows_.find(gpu);
  return found == rows_.end() ? nullptr : &found->second;
}

Result<Published> MemoryLedger::publish(const std::string& gpu, const Sample& sample) {
  const std::lock_guard lock(mutex_);
  const WallTime now = clock_.now();
  LedgerRow& row = rows_[gpu];
  row.state.uuid = gpu;
  Result<Published> published = publish_to(row, sample, options_, now);
  if (!published) return published;
  for (Promise& promise : expire_in(row, now)) expired_.push_back(std::move(promise));
  return published;
}

Result<GpuState> MemoryLedger::state(const std::string& gpu) {
  const std::lock_guard lock(mutex_);
  const LedgerRow* const row = row_of(gpu);
  if (row == nullptr) return unknown(gpu);
  return row->state;
}

Result<std::vector<GpuState>> MemoryLedger::states() {
  const std::lock_guard lock(mutex_);
  std::vector<GpuState> states;
  states.reserve(rows_.size());
  for (const auto& [gpu, row] : rows_) states.push_back(row.state);
  return states;
}

Result<Granted> MemoryLedger::promise(const Wish& wish) {
  const std::lock_guard lock(mutex_);
  LedgerRow* const row = row_of(wish.gpu);
  if (row == nullptr) return unknown(wish.gpu);
  Granted granted = promise_from(*row, wish, last_epoch_ + 1, options_, clock_.now());
  if (std::holds_alternative<Promise>(granted)) {
    ++last_epoch_;
    reserved_on_.erase(wish.task);
  }
  return granted;
}

Result<std::optional<Refusal>> MemoryLedger::resize(const Promise& promise, Bytes bytes) {
  const std::lock_guard lock(mutex_);
  LedgerRow* const row = row_of(promise.gpu);
  if (row == nullptr) return unknown(promise.gpu);
  return resize_in(*row, promise.epoch, bytes, options_, clock_.now());
}

Result<std::vector<Promise>> MemoryLedger::renew(const std::vector<Promise>& promises) {
  const std::lock_guard lock(mutex_);
  std::vector<Promise> lost;
  for (const Promise& promise : promises) {
    LedgerRow* const row = row_of(promise.gpu);
    if (row == nullptr || !renew_in(*row, promise.epoch, options_, clock_.now())) {
      lost.push_back(promise);
    }
  }
  return lost;
}

Status MemoryLedger::release(const Promise& promise) {
  const std::lock_guard lock(mutex_);
  LedgerRow* const row = row_of(promise.gpu);
  if (row != nullptr) release_in(*row, promise.epoch, clock_.now());
  return ok_status();
}

Status MemoryLedger::reserve(const std::string& gpu, const std::string& task, Bytes bytes,
                             std::chrono::milliseconds duration) {
  const std::lock_guard lock(mutex_);
  const WallTime now = clock_.now();
  LedgerRow* const row = row_of(gpu);
  if (row == nullptr) return unknown(gpu);
  if (const auto kept = reserved_on_.find(task);
      kept != reserved_on_.end() && kept->second != gpu) {
    const LedgerRow& other = rows_[kept->second];
    if (reservation_stands(other.state, now) && other.state.reservation->task == task) {
      return failure(FailureKind::kConflict, kept->second + " is kept for the task already");
    }
  }
  Status reserved = reserve_in(*row, {task, bytes, now + duration}, now);
  if (reserved) reserved_on_[task] = gpu;
  return reserved;
}

Status MemoryLedger::unreserve(const std::string& task) {
  const std::lock_guard lock(mutex_);
  const auto kept = reserved_on_.find(task);
  if (kept == reserved_on_.end()) return ok_status();
  std::optional<Reservation>& reservation = rows_[kept->second].state.reservation;
  if (reservation && reservation->task == task) reservation.reset();
  reserved_on_.erase(kept);
  return ok_status();
}

Status MemoryLedger::begin_room(const std::string& gpu, const std::string& task,
                                std::chrono::milliseconds interval) {
  const std::lock_guard lock(mutex_);
  LedgerRow* const row = row_of(gpu);
  if (row == nullptr) return unknown(gpu);
  return begin_room_in(*row, task, interval, clock_.now());
}

Status MemoryLedger::end_room(const std::string& gpu) {
  const std::lock_guard lock(mutex_);
  LedgerRow* const row = row_of(gpu);
  if (row == nullptr) return unknown(gpu);
  if (row->state.room) row->state.room->finished = true;
  return ok_status();
}

Result<std::vector<Promise>> MemoryLedger::expire() {
  const std::lock_guard lock(mutex_);
  for (auto& [gpu, row] : rows_) {
    for (Promise& promise : expire_in(row, clock_.now())) expired_.push_back(std::move(promise));
  }
  return std::exchange(expired_, {});
}

}  // namespace pytoon::jobs::admission
