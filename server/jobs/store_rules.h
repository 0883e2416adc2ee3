// What the store says, whatever it is made of: its failures, and the small rules that are no
// database's business. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/jobs/job_store.h"
#include "server/jobs/outbox.h"
#include "server/jobs/task_store.h"

namespace pytoon::jobs {

Failure no_such_job(const std::string& id);
Failure no_such_asset(const std::string& key);
// The uploads that a job is made of, each once.
std::vector<std::string> asset_keys(const spec::RenderSpec& spec);
Failure lease_lost(const Lease& lease);
// kRateLimited when no more job of the tenant may wait.
Status room_in_queue(const QueueLength& queued, const QueueLimits& limits);
// The answer to a key seen before.
Result<Submitted> replay(const IdempotencyRecord& record, const std::string& body_sha256);
// A cursor is the sequence number of the last job of a page; "" is past the newest.
Result<std::int64_t> cursor_from_text(const std::string& cursor);

// How a job ended, as its webhook is told.
struct JobEnd {
  std::string job_id;
  JobStatus status = JobStatus::kDone;
  std::string error;
  bool fallback_used = false;
  std::string fallback_reason;
  WallTime at;
};
std::string event_type(JobStatus end);      // "job.done"
std::string event_body(const JobEnd& end);  // JSON in the shape of Standard Webhooks

}  // namespace pytoon::jobs
