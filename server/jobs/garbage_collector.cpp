#include "server/jobs/garbage_collector.h"

#include <set>

namespace pytoon::jobs {
namespace {

constexpr std::size_t kBatch = 500;
constexpr std::string_view kJobs = "jobs/";

}  // namespace

bool GarbageCollector::step() {
  if (!under_way_ && clock_.steady_now() < next_at_) return false;
  if (!under_way_) return begin();
  if (!round_.segments.empty()) {
    sweep_segments();
  } else if (!round_.jobs.empty()) {
    expire_job(round_.jobs.back());
    round_.jobs.pop_back();
  } else {
    finish();
  }
  return true;
}

bool GarbageCollector::begin() {
  next_at_ = clock_.steady_now() + options_.pause;
  const WallTime now = clock_.now();
  const auto segments = storage_.list("segments/");
  const auto files = options_.retention.count() > 0 ? storage_.list(std::string(kJobs))
                                                    : Result(std::vector<StoredObject>());
  if (!segments || !files) {
    const Failure& fault = segments ? files.failure() : segments.failure();
    log_.warning("gc_deferred", {{"reason", fault.detail}});
    return false;
  }
  round_ = {};
  for (const StoredObject& object : *segments) {
    if (now - object.changed_at > options_.unnamed_age) round_.segments.push_back(object.key);
  }
  std::set<std::string> ids;
  for (const StoredObject& object : *files) {
    if (now - object.changed_at <= options_.retention) continue;
    const std::string rest = object.key.substr(kJobs.size());
    ids.insert(rest.substr(0, rest.find('/')));
  }
  round_.jobs.assign(ids.begin(), ids.end());
  under_way_ = true;
  return true;
}

void GarbageCollector::sweep_segments() {
  const std::size_t count = std::min(kBatch, round_.segments.size());
  const auto first = round_.segments.end() - static_cast<std::ptrdiff_t>(count);
  const auto unreferenced = retention_.unreferenced({first, round_.segments.end()});
  round_.segments.erase(first, round_.segments.end());
  if (!unreferenced) {
    log_.warning("gc_deferred", {{"reason", unreferenced.failure().detail}});
    return;  // the next round comes to them
  }
  for (const std::string& key : *unreferenced) {
    if (remove(key)) ++round_.segments_removed;
  }
}

void GarbageCollector::expire_job(const std::string& id) {
  const Result<Job> job = store_.job(id);
  if (!job) {
    if (job.failure().kind == FailureKind::kNotFound) ++round_.jobs_unknown;
    return;
  }
  const bool expired = is_terminal(job->status) && job->completed_at &&
                       clock_.now() - *job->completed_at > options_.retention;
  if (!expired) return;
  const auto segments = store_.segments(id);
  if (!segments) return;
  for (const Segment& segment : *segments) {
    for (const std::string& key :
         {segment_link_key(id, segment.index), segment.artifact_key, segment.footage_key}) {
      if (!key.empty()) remove(key);
    }
  }
  if (!job->audio_key.empty()) remove(job->audio_key);
  remove_files_below(std::string(kJobs) + id + "/");
  remove_files_below("outputs/" + id + "/");
  ++round_.jobs_expired;
}

void GarbageCollector::remove_files_below(const std::string& folder) {
  const auto files = storage_.list(folder);
  if (!files) return;
  for (const StoredObject& file : *files) remove(file.key);
}

bool GarbageCollector::remove(const std::string& key) {
  const Status removed = storage_.remove(key);
  if (!removed) log_.warning("gc_failed", {{"key", key}, {"reason", removed.failure().detail}});
  return removed.ok();
}

void GarbageCollector::finish() {
  under_way_ = false;
  const auto forgotten = retention_.purge_events(options_.event_age);
  if (forgotten) round_.events_forgotten = *forgotten;
  const auto purchases = retention_.purge_purchases(options_.purchase_age);
  if (purchases) round_.purchases_forgotten = *purchases;
  log_.info("gc_completed", {{"segments_removed", round_.segments_removed},
                             {"jobs_expired", round_.jobs_expired},
                             {"jobs_unknown", round_.jobs_unknown},
                             {"events_forgotten", round_.events_forgotten},
                             {"purchases_forgotten", round_.purchases_forgotten}});
}

}  // namespace pytoon::jobs
