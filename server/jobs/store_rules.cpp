#include "server/jobs/store_rules.h"

#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "base/check.h"
#include "base/json.h"
#include "pipeline/spec/job_request.h"
#include "server/jobs/retention_store.h"

namespace pytoon::jobs {

Failure no_such_job(const std::string& id) {
  return failure(FailureKind::kNotFound, "there is no job " + id);
}

Failure no_such_asset(const std::string& key) {
  return failure(FailureKind::kNotFound, "there is no asset " + key);
}

std::vector<std::string> asset_keys(const spec::RenderSpec& spec) {
  const spec::Assets& assets = spec.assets;
  std::set<std::string> uris(assets.images.begin(), assets.images.end());
  uris.insert(assets.clips.begin(), assets.clips.end());
  for (const auto& uri : {assets.mask, assets.music, assets.voice}) {
    if (uri) uris.insert(*uri);
  }
  std::vector<std::string> keys;
  for (const std::string& uri : uris) keys.push_back(spec::storage_key(uri));
  return keys;
}

std::string_view name_of(RowKind kind) {
  switch (kind) {
    case RowKind::kJob:
      return "job";
    case RowKind::kIdempotencyRecord:
      return "idempotency_record";
    case RowKind::kEvent:
      return "event";
    case RowKind::kDeadLetter:
      return "dead_letter";
    case RowKind::kPurchase:
      return "purchase";
  }
  CHECK(false, "a RowKind has no name");
}

Failure lease_lost(const Lease& lease) {
  return failure(FailureKind::kConflict, std::string(name_of(lease.kind)) + " of job " +
                                             lease.job_id + " is not held by epoch " +
                                             std::to_string(lease.epoch) + " any more");
}

Status room_in_queue(const QueueLength& queued, const QueueLimits& limits) {
  const auto full = [](const std::string& whose, std::int64_t most) {
    return failure(FailureKind::kRateLimited, whose + " queue is full (" + std::to_string(most) +
                                                  " jobs are waiting): try again later");
  };
  // The tenant's own first: it can do something about that.
  if (queued.of_tenant >= limits.of_tenant) return full("your", limits.of_tenant);
  return queued.all >= limits.all ? Status(full("the", limits.all)) : ok_status();
}

Result<Submitted> replay(const IdempotencyRecord& record, const std::string& body_sha256) {
  if (record.body_sha256 != body_sha256) {
    return failure(FailureKind::kInvalid,
                   "this Idempotency-Key was used with another body: take a new key");
  }
  Submitted again = record.submitted;
  again.replayed = true;
  return again;
}

Result<std::int64_t> cursor_from_text(const std::string& cursor) {
  if (cursor.empty()) return std::numeric_limits<std::int64_t>::max();
  std::int64_t value = 0;
  const char* const end = cursor.data() + cursor.size();
  const auto read = std::from_chars(cursor.data(), end, value);
  if (read.ec != std::errc() || read.ptr != end || value < 1) {
    return invalid_field("/cursor", "is not the next_cursor of a page");
  }
  return value;
}

std::string event_type(JobStatus end) {
  switch (end) {
    case JobStatus::kDone:
      return "job.done";
    case JobStatus::kFailed:
      return "job.failed";
    case JobStatus::kCancelled:
      return "job.cancelled";
    default:
      CHECK(false, "this status is no end");
  }
}

std::string event_body(const JobEnd& end) {
  nlohmann::ordered_json data{{"job_id", end.job_id}, {"status", name_of(end.status)}};
  if (!end.error.empty()) data["error"] = end.error;
  data["fallback_used"] = end.fallback_used;
  if (end.fallback_used) data["fallback_reason"] = end.fallback_reason;
  if (end.status == JobStatus::kDone) {
    data["output_uri"] = "storage://" + job_file_key(end.job_id, "output.mp4");
  }
  const nlohmann::ordered_json body{
      {"type", event_type(end.status)}, {"timestamp", iso8601(end.at)}, {"data", std::move(data)}};
  return json_text(body);
}

}  // namespace pytoon::jobs
