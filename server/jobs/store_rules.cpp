#include "server/jobs/store_rules.h"

#include <charconv>
#include <limits>

namespace pytoon::jobs {

Failure no_such_job(const std::string& id) {
  return failure(FailureKind::kNotFound, "there is no job " + id);
}

Failure no_such_asset(const std::string& key) {
  return failure(FailureKind::kNotFound, "there is no asset " + key);
}

Failure lease_lost(const Lease& lease) {
  return failure(FailureKind::kConflict, "job " + lease.job_id + " is not held by epoch " +
                                             std::to_string(lease.epoch) + " any more");
}

Failure queue_full(std::int64_t queued_max) {
  return failure(FailureKind::kRateLimited, "the queue is full (" + std::to_string(queued_max) +
                                                " jobs are waiting): try again later");
}

Result<Submitted> replay(const Receipt& receipt, const std::string& body_sha256) {
  if (receipt.body_sha256 != body_sha256) {
    return failure(FailureKind::kInvalid,
                   "this Idempotency-Key was used with another body: take a new key");
  }
  Submitted again = receipt.submitted;
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

}  // namespace pytoon::jobs
