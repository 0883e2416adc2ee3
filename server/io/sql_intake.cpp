// SqlStore: what clients and operators change.
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/io/sql_flow.h"
#include "server/io/sql_gc.h"
#include "server/io/sql_writing.h"
#include "server/jobs/store_rules.h"
#include "server/jobs/transitions.h"

namespace pytoon::io {
using jobs::Job;
using jobs::JobStatus;
using jobs::Segment;
using jobs::Submitted;

namespace {

// Most tenants have one share, and no row.
void note_weight(SqlSession& session, const std::string& tenant, int weight) {
  if (weight == 1) {
    session.run("DELETE FROM tenant_weights WHERE tenant = ?", {tenant});
    return;
  }
  session.run(
      "INSERT INTO tenant_weights (tenant, weight) VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE "
      "SET weight = excluded.weight WHERE tenant_weights.weight <> excluded.weight",
      {tenant, std::int64_t{weight}});
}

Submitted submitted(const jobs::NewJob& order) {
  return {order.job.id, static_cast<int>(order.segments.size()), false};
}

void insert_job(SqlSession& session, const jobs::NewJob& order) {
  const Job& job = order.job;
  const std::int64_t now = session.now();
  session.run(
      "INSERT INTO jobs (id, tenant, status, spec, priority, webhook_url, traceparent, "
      "open_segments, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {job.id, job.tenant, name_of(JobStatus::kQueued), json_text(to_json(job.spec)), job.priority,
       job.webhook_url, job.traceparent, std::int64_t{std::ssize(order.segments)}, now, now});
  for (const Segment& segment : order.segments) {
    session.run("INSERT INTO segments (job_id, idx, status, duration_seconds) VALUES (?, ?, ?, ?)",
                {job.id, segment.index, name_of(segment.status), segment.duration_seconds});
  }
  add_tasks(session, job, {jobs::Task{jobs::TaskKind::kPrepare}});
}

// The rows of the uploads are locked, so that none is deleted before the job's commit says that it
// is needed.
Status note_assets(SqlSession& session, const Job& job) {
  for (const std::string& key : jobs::asset_keys(job.spec)) {
    const Rows there = session.query(
        "SELECT 1 FROM assets WHERE tenant = ? AND key = ? {FOR KEY SHARE}", {job.tenant, key});
    if (there.empty()) {
      return failure(FailureKind::kInvalid,
                     "storage://" + key + " is not in storage any more: upload it again");
    }
    session.run("INSERT INTO job_assets (job_id, key) VALUES (?, ?) ON CONFLICT DO NOTHING",
                {job.id, key});
  }
  return ok_status();
}

// False when another submission with this key was first.
bool insert_record(SqlSession& session, const jobs::NewJob& order) {
  return session.run(
             "INSERT INTO idempotency_records (tenant, idempotency_key, body_sha256, job_id, "
             "segments, created_at) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
             {order.job.tenant, order.idempotency_key, order.body_sha256, order.job.id,
              std::int64_t{std::ssize(order.segments)}, session.now()}) == 1;
}

// A job that may become `next`, locked.
Result<Job> lock_for(SqlSession& session, const std::string& id, JobStatus next) {
  std::optional<Job> job = lock_job(session, id);
  if (!job) return jobs::no_such_job(id);
  if (Status allowed = jobs::check_transition(job->status, next); !allowed) {
    return allowed.failure();
  }
  return std::move(*job);
}

}  // namespace

Result<Submitted> SqlStore::create(const jobs::NewJob& order, const jobs::QueueLimits& limits) {
  const bool keyed = !order.idempotency_key.empty();
  const auto seen_before = [&]() -> Result<std::optional<jobs::IdempotencyRecord>> {
    if (!keyed) return std::optional<jobs::IdempotencyRecord>();
    return record(order.job.tenant, order.idempotency_key);
  };
  Result<std::optional<jobs::IdempotencyRecord>> seen = seen_before();
  if (!seen) return seen.failure();
  if (*seen) return jobs::replay(**seen, order.body_sha256);
  bool second = false;
  Result<Submitted> created = writing("create", [&](SqlSession& session) -> Result<Submitted> {
    const Status room = jobs::room_in_queue(queue_length(session, order.job.tenant), limits);
    if (!room) return room.failure();
    note_weight(session, order.job.tenant, order.weight);
    insert_job(session, order);
    if (Status noted = note_assets(session, order.job); !noted) return noted.failure();
    second = keyed && !insert_record(session, order);
    if (second) return failure(FailureKind::kConflict, "this Idempotency-Key is being used");
    return submitted(order);
  });
  if (created) return created;
  // Somebody was faster with the same key, perhaps filling the queue; or the answer to our own
  // commit was lost. What is in the record counts; what is not may still be on its way.
  seen = seen_before();
  if (seen && *seen && (*seen)->submitted.job_id != order.job.id) {
    return jobs::replay(**seen, order.body_sha256);
  }
  const Result<Job> made = job(order.job.id);
  if (made && created.failure().kind == FailureKind::kUnavailable) return submitted(order);
  return created;
}

Status SqlStore::keep_asset(const jobs::AssetRecord& asset) {
  return writing("keep_asset", [&](SqlSession& session) -> Status {
    // The entry first, then the row: see condemn(). A row that comes to be while the deletion of
    // its object is under way would name nothing.
    if (!queue_deletion(session, asset.key, asset.tenant, kDeletionLease)) {
      return failure(FailureKind::kUnavailable,
                     asset.key + " is being deleted at this moment: upload it again");
    }
    session.run(
        "INSERT INTO assets (tenant, key, client_name, category, format, size, sha256, width, "
        "height, has_alpha, duration_seconds, channels, sample_rate, created_at, last_used_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, key) DO UPDATE "
        "SET client_name = excluded.client_name, category = excluded.category, "
        "format = excluded.format, size = excluded.size, sha256 = excluded.sha256, "
        "width = excluded.width, height = excluded.height, has_alpha = excluded.has_alpha, "
        "duration_seconds = excluded.duration_seconds, channels = excluded.channels, "
        "sample_rate = excluded.sample_rate, created_at = excluded.created_at, "
        "last_used_at = excluded.last_used_at",
        {asset.tenant, asset.key, asset.client_name, asset.category, asset.media.format, asset.size,
         asset.sha256, asset.media.size.width, asset.media.size.height,
         std::int64_t{asset.media.has_alpha}, asset.media.duration_seconds, asset.media.channels,
         asset.media.sample_rate, session.now(), session.now()});
    unqueue_deletion(session, asset.key);
    return ok_status();
  });
}

Status SqlStore::probe() {
  Status readable = reading([](SqlSession& session) -> Status {
    session.query("SELECT 1 FROM jobs LIMIT 1");
    return ok_status();
  });
  if (!readable) return readable;
  return database_->writable();
}

Result<Job> SqlStore::cancel(const std::string& id) {
  return writing("cancel", [&](SqlSession& session) -> Result<Job> {
    Result<Job> job = lock_for(session, id, JobStatus::kCancelled);
    if (!job) return job;
    end_job(session, *job, JobStatus::kCancelled, "");
    return complete(session, std::move(*job));
  });
}

Result<Job> SqlStore::force_fail(const std::string& id, const std::string& error) {
  return writing("force_fail", [&](SqlSession& session) -> Result<Job> {
    Result<Job> job = lock_for(session, id, JobStatus::kFailed);
    if (!job) return job;
    end_job(session, *job, JobStatus::kFailed, error);
    return complete(session, std::move(*job));
  });
}

Result<Job> SqlStore::retry(const std::string& id) {
  return writing("retry", [&](SqlSession& session) -> Result<Job> {
    Result<Job> job = lock_for(session, id, JobStatus::kQueued);
    if (!job) return job;
    std::vector<Segment> segments = read_segments(session, id);
    for (Segment& segment : segments) {
      if (segment.status == jobs::SegmentStatus::kDone) continue;
      segment = for_retry(segment);
      write_segment(session, id, segment);
    }
    ++job->run;
    job->status = JobStatus::kQueued;  // a trigger adds the task that it begins with
    job->crashes = 0;
    job->progress_pct = jobs::progress_pct(segments, 0, job->spec.output.fps);
    job->fallback_used = false;
    job->fallback_reason.clear();
    job->degraded.clear();
    job->encoder.clear();
    job->error.clear();
    job->completed_at.reset();
    job->rendered_at.reset();
    write_job(session, *job);
    return complete(session, std::move(*job));
  });
}

}  // namespace pytoon::io
