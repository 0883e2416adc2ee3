#include "server/jobs/eraser.h"

#include <utility>

#include "server/jobs/asset_keeper.h"
#include "server/jobs/object_kind.h"

namespace pytoon::jobs {
namespace {

constexpr int kJobsACall = 20;
constexpr int kAssetsACall = 200;
constexpr std::size_t kPage = 500;
constexpr std::chrono::minutes kDrainLease{15};

bool is_prefix(const std::string& entry) { return entry.ends_with('/') || entry.ends_with('.'); }

}  // namespace

bool Eraser::remove(const std::string& key, DeletedCounts& deleted) {
  // Most links and files of a job that never got so far were never there: they don't count.
  const Result<bool> there = storage_.contains(key);
  const Status removed = storage_.remove(key);
  if (!removed) {
    log_.warning("gc_failed", {{"key", key}, {"reason", removed.failure().detail}});
    return false;
  }
  if (!there || *there) {
    const std::optional<ObjectKind> kind = object_kind(key);
    const std::string_view name = kind ? name_of(*kind) : "other";
    ++deleted[std::string(name)];
    metrics_.gc_deleted(name, 1);
  }
  return true;
}

bool Eraser::remove_all(const std::string& prefix, DeletedCounts& deleted) {
  const auto walk = storage_.walk(prefix);
  bool whole = walk.ok();
  while (whole) {
    const auto page = (*walk)->next(kPage);
    if (page && page->empty()) return true;
    whole = page.ok();
    if (!page) log_.warning("gc_failed", {{"key", prefix}, {"reason", page.failure().detail}});
    for (std::size_t i = 0; page && i < page->size(); ++i) {
      whole = remove(page->at(i).key, deleted) && whole;
    }
  }
  return false;
}

void Eraser::carry_out(const std::vector<std::string>& entries, DeletedCounts& deleted) {
  std::vector<std::string> done;
  for (const std::string& entry : entries) {
    const bool gone = is_prefix(entry) ? remove_all(entry, deleted) : remove(entry, deleted);
    if (gone) done.push_back(entry);
  }
  const Status noted = retention_.deleted(done);
  if (!noted) log_.warning("gc_deferred", {{"reason", noted.failure().detail}});
}

Result<std::int64_t> Eraser::drain(int limit, DeletedCounts& deleted) {
  const auto entries = retention_.take_deletions(limit, kDrainLease);
  if (!entries) return entries.failure();
  if (!entries->empty()) carry_out(*entries, deleted);
  return std::int64_t{std::ssize(*entries)};
}

Status Eraser::delete_job(const std::string& id) {
  const auto entries = retention_.delete_job(id);
  if (!entries) return entries.failure();
  DeletedCounts deleted;
  carry_out(*entries, deleted);
  return ok_status();
}

Status Eraser::delete_asset(const std::optional<std::string>& tenant, const std::string& key) {
  const auto entries = retention_.delete_asset(tenant, key);
  if (!entries) return entries.failure();
  DeletedCounts deleted;
  carry_out(*entries, deleted);
  return ok_status();
}

Status Eraser::purge_job(const Job& job, Purged& purged) {
  if (!is_terminal(job.status)) {
    const Result<Job> cancelled = store_.cancel(job.id);
    // It may have ended by itself at this moment.
    const bool ended = !cancelled && cancelled.failure().kind == FailureKind::kConflict;
    if (!cancelled && !ended) return cancelled.failure();
    purged.jobs_cancelled += ended ? 0 : 1;
  }
  const auto entries = retention_.delete_job(job.id);
  if (!entries) return entries.failure();
  carry_out(*entries, purged.deleted);
  ++purged.deleted["job"];
  return retention_.purge_spend(job.id);
}

Status Eraser::purge_folder(const std::string& tenant, Purged& purged) {
  const std::string folder = asset_folder(tenant);
  const auto walk = storage_.walk(folder);
  if (!walk) return walk.failure();
  const auto page = (*walk)->next(kPage);
  if (!page) return page.failure();
  std::vector<std::string> keys;
  for (const StoredObject& object : *page) keys.push_back(object.key);
  if (keys.empty()) return ok_status();
  const auto orphans = retention_.condemn(keys);
  if (!orphans) return orphans.failure();
  carry_out(*orphans, purged.deleted);
  const auto left = storage_.walk(folder);
  if (!left) return left.failure();
  const auto rest = (*left)->next(kPage);
  if (!rest) return rest.failure();
  purged.objects_left += std::ssize(*rest);
  return ok_status();
}

Result<Purged> Eraser::purge_tenant(const std::string& tenant) {
  Purged purged;
  const Result<JobPage> page = store_.list(tenant, {std::nullopt, "", kJobsACall});
  if (!page) return page.failure();
  for (const Job& job : page->jobs) {
    if (Status gone = purge_job(job, purged); !gone) return gone.failure();
  }
  const auto assets = retention_.assets_of(tenant, kAssetsACall);
  if (!assets) return assets.failure();
  for (const std::string& key : *assets) {
    const auto entries = retention_.delete_asset(tenant, key);
    // A job that is left for the next call, or that came meanwhile, needs it.
    if (!entries && entries.failure().kind == FailureKind::kConflict) continue;
    if (!entries && entries.failure().kind == FailureKind::kNotFound) continue;
    if (!entries) return entries.failure();
    carry_out(*entries, purged.deleted);
    ++purged.deleted["asset"];
  }
  if (Status gone = purge_folder(tenant, purged); !gone) return gone.failure();
  // What an earlier call, or anybody, could not remove then.
  const Result<std::int64_t> drained = drain(kAssetsACall, purged.deleted);
  if (!drained) return drained.failure();
  const Result<TenantRows> rows = retention_.rows_of(tenant);
  if (!rows) return rows.failure();
  purged.rows_left = *rows;
  return purged;
}

}  // namespace pytoon::jobs
