#include "server/jobs/garbage_collector.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "server/jobs/object_kind.h"

namespace pytoon::jobs {
namespace {

constexpr int kJobsAPiece = 50;
constexpr int kAssetsAPiece = 100;
constexpr int kRowsAPiece = 500;
constexpr int kDeletionsAPiece = 100;
constexpr std::size_t kObjectsAPiece = 500;

}  // namespace

bool GarbageCollector::step() {
  if (!under_way_) {
    // What others could not carry out does not wait for the next pass.
    DeletedCounts deleted;
    const Result<std::int64_t> drained = eraser_.drain(kDeletionsAPiece, deleted);
    if (drained && *drained > 0) return true;
    return begin();
  }
  if (pieces_.empty()) {
    finish();
    return true;
  }
  const Result<bool> more = pieces_.front()();
  if (!more) log_.warning("gc_deferred", {{"reason", more.failure().detail}});
  // What can't be done now is left for the next pass: it must not hold up the rest.
  if (!more || !*more) {
    pieces_.pop_front();
    walk_.reset();
  }
  return true;
}

bool GarbageCollector::begin() {
  const Result<bool> ours = retention_.begin_gc_pass(options_.pause);
  if (!ours) log_.warning("gc_deferred", {{"reason", ours.failure().detail}});
  if (!ours || !*ours) return false;
  under_way_ = true;
  began_at_ = clock_.steady_now();
  deleted_.clear();
  objects_seen_ = 0;
  plan();
  return true;
}

void GarbageCollector::plan() {
  const Retention& kept = options_.retention;
  const std::array<std::pair<JobStatus, std::chrono::hours>, 3> jobs{
      {{JobStatus::kDone, kept.done_jobs},
       {JobStatus::kFailed, kept.failed_jobs},
       {JobStatus::kCancelled, kept.cancelled_jobs}}};
  for (const auto& [status, age] : jobs) {
    if (age.count() == 0) continue;
    pieces_.emplace_back([this, status, age]() -> Result<bool> {
      const Result<std::int64_t> expired = retention_.expire_jobs(status, age, kJobsAPiece);
      if (!expired) return expired.failure();
      note("expired_job", *expired);
      return *expired == kJobsAPiece;
    });
  }
  if (kept.unused_assets.count() > 0) {
    pieces_.emplace_back([this, age = kept.unused_assets]() -> Result<bool> {
      const Result<std::int64_t> expired = retention_.expire_assets(age, kAssetsAPiece);
      if (!expired) return expired.failure();
      note("asset", *expired);
      return *expired > 0;
    });
  }
  plan_rows();
  if (kept.orphans.count() != 0) {
    pieces_.emplace_back([this]() -> Result<bool> {
      const Result<WallTime> now = storage_.now();
      // Without the time nothing is old.
      put_before_ = now ? *now - options_.retention.orphans : WallTime::min();
      return now ? Result<bool>(false) : now.failure();
    });
    for (const ObjectFolder& folder : kObjectFolders) {
      pieces_.emplace_back([this, &folder] { return walk_page(std::string(folder.prefix)); });
    }
  }
  pieces_.emplace_back([this] { return drain(); });
  pieces_.emplace_back([this]() -> Result<bool> {
    const Result<int> reclaimed = storage_.reclaim_abandoned();
    if (!reclaimed) return reclaimed.failure();
    note("abandoned_upload", *reclaimed);
    return false;
  });
}

void GarbageCollector::plan_rows() {
  const Retention& kept = options_.retention;
  const std::array<std::pair<RowKind, std::chrono::hours>, 5> rows{
      {{RowKind::kJob, kept.job_records},
       {RowKind::kIdempotencyRecord, kept.idempotency_records},
       {RowKind::kEvent, kept.events},
       {RowKind::kDeadLetter, kept.dead_letters},
       {RowKind::kPurchase, kept.purchases}}};
  for (const auto& [kind, age] : rows) {
    if (age.count() == 0) continue;
    pieces_.emplace_back([this, kind, age]() -> Result<bool> {
      const Result<std::int64_t> gone = retention_.purge_rows(kind, age, kRowsAPiece);
      if (!gone) return gone.failure();
      note(name_of(kind), *gone);
      return *gone == kRowsAPiece;
    });
  }
}

Result<bool> GarbageCollector::walk_page(const std::string& prefix) {
  if (!walk_) {
    auto begun = storage_.walk(prefix);
    if (!begun) return begun.failure();
    walk_ = std::move(*begun);
  }
  const auto page = walk_->next(kObjectsAPiece);
  if (!page) return page.failure();
  objects_seen_ += std::ssize(*page);
  std::vector<std::string> old;
  for (const StoredObject& object : *page) {
    if (object.changed_at < put_before_) old.push_back(object.key);
  }
  if (!old.empty()) {
    const auto condemned = retention_.condemn(old);
    if (!condemned) return condemned.failure();
    // At once, so that the queue stays short whatever the walk finds.
    for (bool more = !condemned->empty(); more;) {
      const Result<bool> drained = drain();
      if (!drained) return drained;
      more = *drained;
    }
  }
  return !page->empty();
}

Result<bool> GarbageCollector::drain() {
  const Result<std::int64_t> taken = eraser_.drain(kDeletionsAPiece, deleted_);
  if (!taken) return taken.failure();
  return *taken == kDeletionsAPiece;
}

void GarbageCollector::note(std::string_view kind, std::int64_t count) {
  if (count == 0) return;
  deleted_[std::string(kind)] += count;
  metrics_.gc_deleted(kind, count);
}

void GarbageCollector::finish() {
  under_way_ = false;
  const std::chrono::duration<double> took = clock_.steady_now() - began_at_;
  const nlohmann::ordered_json deleted(deleted_);
  log_.info("gc_completed",
            {{"seconds", took.count()}, {"objects_seen", objects_seen_}, {"deleted", deleted}});
}

}  // namespace pytoon::jobs
