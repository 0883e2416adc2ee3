#include "server/jobs/memory_job_store.h"

#include <algorithm>

#include "server/jobs/store_rules.h"
#include "server/jobs/transitions.h"

namespace pytoon::jobs {

MemoryJobStore::Row* MemoryJobStore::find(const std::string& id) {
  const auto found =
      std::find_if(rows_.begin(), rows_.end(), [&id](const Row& row) { return row.job.id == id; });
  return found == rows_.end() ? nullptr : &*found;
}

Result<MemoryJobStore::Row*> MemoryJobStore::held(const Lease& lease) {
  Row* const row = find(lease.job_id);
  if (row == nullptr || row->epoch != lease.epoch || is_terminal(row->job.status)) {
    return lease_lost(lease);
  }
  return row;
}

void MemoryJobStore::touch(Row& row) {
  ++row.job.version;
  row.job.updated_at = clock_.now();
}

std::int64_t MemoryJobStore::queued_now() const {
  return std::count_if(rows_.begin(), rows_.end(),
                       [](const Row& row) { return row.job.status == JobStatus::kQueued; });
}

std::int64_t MemoryJobStore::position(const Row& mine) const {
  if (mine.job.status != JobStatus::kQueued) return 0;
  std::int64_t before = 0;
  for (const Row& row : rows_) {
    if (row.job.status != JobStatus::kQueued) continue;
    before += row.job.priority > mine.job.priority ||
              (row.job.priority == mine.job.priority && &row < &mine);
  }
  return before + 1;
}

Result<Job> MemoryJobStore::job(const std::string& id) {
  const std::lock_guard lock(mutex_);
  const Row* const row = find(id);
  if (row == nullptr) return no_such_job(id);
  Job job = row->job;
  job.queue_position = position(*row);
  return job;
}

Result<std::vector<Segment>> MemoryJobStore::segments(const std::string& job_id) {
  const std::lock_guard lock(mutex_);
  const Row* const row = find(job_id);
  if (row == nullptr) return no_such_job(job_id);
  return row->segments;
}

Result<JobPage> MemoryJobStore::list(const std::optional<std::string>& tenant,
                                     const ListQuery& query) {
  const Result<std::int64_t> before = cursor_from_text(query.cursor);
  if (!before) return before.failure();
  const std::lock_guard lock(mutex_);
  JobPage page;
  const auto end = std::min<std::int64_t>(*before - 1, std::ssize(rows_));
  for (std::int64_t i = end - 1; i >= 0; --i) {
    const Row& row = rows_[static_cast<std::size_t>(i)];
    if (tenant && row.job.tenant != *tenant) continue;
    if (query.status && row.job.status != *query.status) continue;
    if (std::ssize(page.jobs) == query.limit) {
      page.next_cursor = std::to_string(find(page.jobs.back().id) - rows_.data() + 1);
      break;
    }
    page.jobs.push_back(row.job);
    page.jobs.back().queue_position = position(row);
  }
  return page;
}

Result<std::int64_t> MemoryJobStore::queued() {
  const std::lock_guard lock(mutex_);
  return queued_now();
}

Result<std::optional<Receipt>> MemoryJobStore::receipt(const std::string& tenant,
                                                       const std::string& idempotency_key) {
  const std::lock_guard lock(mutex_);
  const auto found = receipts_.find({tenant, idempotency_key});
  if (found == receipts_.end()) return std::optional<Receipt>();
  return std::optional(found->second);
}

Result<AssetRecord> MemoryJobStore::asset(const std::string& tenant, const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = assets_.find({tenant, key});
  if (found == assets_.end()) return no_such_asset(key);
  return found->second;
}

Result<Submitted> MemoryJobStore::create(const NewJob& order, std::int64_t queued_max) {
  const std::lock_guard lock(mutex_);
  const std::pair receipt_key{order.job.tenant, order.idempotency_key};
  if (!order.idempotency_key.empty()) {
    const auto found = receipts_.find(receipt_key);
    if (found != receipts_.end()) return replay(found->second, order.body_sha256);
  }
  if (queued_now() >= queued_max) return queue_full(queued_max);
  Row row;
  row.job = order.job;
  row.segments = order.segments;
  row.job.created_at = clock_.now();
  touch(row);
  rows_.push_back(std::move(row));
  const Submitted submitted{order.job.id, static_cast<int>(order.segments.size()), false};
  if (!order.idempotency_key.empty()) receipts_[receipt_key] = {order.body_sha256, submitted};
  return submitted;
}

Status MemoryJobStore::keep_asset(const AssetRecord& asset) {
  const std::lock_guard lock(mutex_);
  assets_[{asset.tenant, asset.key}] = asset;
  return ok_status();
}

MemoryJobStore::Row* MemoryJobStore::best_free() {
  const WallTime now = clock_.now();
  Row* best = nullptr;
  for (Row& row : rows_) {
    const bool free = row.holder.empty() || row.lease_expires_at <= now;
    if (is_terminal(row.job.status) || !free || row.not_before > now) continue;
    if (best == nullptr || row.job.priority > best->job.priority) best = &row;
  }
  return best;
}

Result<std::optional<Claim>> MemoryJobStore::lease_next(const std::string& holder,
                                                        std::chrono::milliseconds duration) {
  const std::lock_guard lock(mutex_);
  Row* const row = best_free();
  if (row == nullptr) return std::optional<Claim>();
  if (!row->holder.empty() && row->holder != holder) {
    ++row->job.attempts;
    ++row->job.crashes;
  }
  row->holder = holder;
  row->epoch = ++last_epoch_;
  row->lease_expires_at = clock_.now() + duration;
  touch(*row);
  return std::optional(Claim{row->job, row->segments, {row->job.id, holder, row->epoch}});
}

Status MemoryJobStore::renew(const Lease& lease, std::chrono::milliseconds duration) {
  const std::lock_guard lock(mutex_);
  const Result<Row*> row = held(lease);
  if (!row) return row.failure();
  (*row)->lease_expires_at = clock_.now() + duration;
  return ok_status();
}

Status MemoryJobStore::check(const Lease& lease) {
  const std::lock_guard lock(mutex_);
  const Result<Row*> row = held(lease);
  return row ? ok_status() : Status(row.failure());
}

Status MemoryJobStore::release(const Lease& lease, Ending ending, std::chrono::milliseconds delay) {
  const std::lock_guard lock(mutex_);
  const Result<Row*> row = held(lease);
  if (!row) return row.failure();
  (*row)->holder.clear();
  (*row)->not_before = clock_.now() + delay;
  if (ending == Ending::kCrashed) {
    ++(*row)->job.attempts;
    ++(*row)->job.crashes;
  }
  touch(**row);
  return ok_status();
}

Status MemoryJobStore::expire_leases_except(const std::string& holder) {
  const std::lock_guard lock(mutex_);
  for (Row& row : rows_) {
    if (row.holder != holder) row.lease_expires_at = WallTime{};
  }
  return ok_status();
}

Status MemoryJobStore::move(const Lease& lease, const Move& move) {
  const std::lock_guard lock(mutex_);
  const Result<Row*> row = held(lease);
  if (!row) return row.failure();
  Job& job = (*row)->job;
  if (Status allowed = check_transition(job.status, move.to); !allowed) return allowed;
  job.status = move.to;
  job.error = move.error;
  if (move.to == JobStatus::kDone) job.progress_pct = 100;
  touch(**row);
  if (is_terminal(move.to)) job.completed_at = job.updated_at;
  return ok_status();
}

Status MemoryJobStore::put_segment(const Lease& lease, const Segment& segment) {
  const std::lock_guard lock(mutex_);
  const Result<Row*> row = held(lease);
  if (!row) return row.failure();
  (*row)->segments.at(static_cast<std::size_t>(segment.index)) = segment;
  int& crashes = (*row)->job.crashes;
  if (segment.status == SegmentStatus::kDone && crashes < kCrashesBeforeCard) crashes = 0;
  touch(**row);
  return ok_status();
}

Status MemoryJobStore::put_progress(const Lease& lease, int pct) {
  const std::lock_guard lock(mutex_);
  const Result<Row*> row = held(lease);
  if (!row) return row.failure();
  int& progress = (*row)->job.progress_pct;
  progress = std::max(progress, pct);
  touch(**row);
  return ok_status();
}

Status MemoryJobStore::note_fallback(const Lease& lease, const std::string& reason) {
  const std::lock_guard lock(mutex_);
  const Result<Row*> row = held(lease);
  if (!row) return row.failure();
  Job& job = (*row)->job;
  if (!job.fallback_used) job.fallback_reason = reason;
  job.fallback_used = true;
  touch(**row);
  return ok_status();
}

void MemoryJobStore::set_by_hand(const std::string& id, JobStatus status,
                                 const std::string& error) {
  const std::lock_guard lock(mutex_);
  Row* const row = find(id);
  CHECK(row != nullptr, "no such job");
  row->job.status = status;
  row->job.error = error;
  touch(*row);
}

}  // namespace pytoon::jobs
