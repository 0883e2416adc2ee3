#include "server/io/sqlite_columns.h"

namespace pytoon::io {
namespace {

WallTime time_from(std::int64_t micros) { return WallTime(std::chrono::microseconds(micros)); }

}  // namespace

std::string list_query(bool by_tenant, bool by_status) {
  std::string sql =
      "SELECT jobs.seq, spec, id, tenant, status, priority, run, attempts, crashes, progress_pct, "
      "fallback_used, fallback_reason, error, version, created_at, updated_at, completed_at, "
      "coalesce(queue.position, 0) FROM jobs LEFT JOIN "
      "(SELECT seq, row_number() OVER (ORDER BY priority DESC, seq) AS position FROM jobs "
      "WHERE status = 'QUEUED') AS queue ON queue.seq = jobs.seq WHERE jobs.seq < ?";
  if (by_tenant) sql += " AND tenant = ?";
  if (by_status) sql += " AND status = ?";
  return sql + " ORDER BY jobs.seq DESC LIMIT ?";
}

jobs::Job read_job_columns(const Statement& row) {
  jobs::Job job;
  int column = kSpecColumn;
  const auto integer = [&] { return row.integer(++column); };
  const auto small = [&] { return static_cast<int>(row.integer(++column)); };
  const auto text = [&] { return row.text(++column); };
  job.id = text();
  job.tenant = text();
  const std::string status = text();
  const auto known = jobs::job_status_from_name(status);
  if (!known) throw SqliteError(FailureKind::kInternal, "unknown job status " + status);
  job.status = *known;
  job.priority = small();
  job.run = small();
  job.attempts = small();
  job.crashes = small();
  job.progress_pct = small();
  job.fallback_used = integer() != 0;
  job.fallback_reason = text();
  job.error = text();
  job.version = integer();
  job.created_at = time_from(integer());
  job.updated_at = time_from(integer());
  if (!row.is_null(++column)) job.completed_at = time_from(row.integer(column));
  job.queue_position = integer();
  return job;
}

jobs::Segment read_segment_columns(const Statement& row) {
  jobs::Segment segment;
  segment.index = static_cast<int>(row.integer(0));
  const auto status = jobs::segment_status_from_name(row.text(1));
  if (!status) throw SqliteError(FailureKind::kInternal, "unknown segment status " + row.text(1));
  segment.status = *status;
  segment.duration_seconds = static_cast<int>(row.integer(2));
  segment.engine_used = row.text(3);
  segment.content_key = row.text(4);
  segment.artifact_key = row.text(5);
  segment.artifact_sha256 = row.text(6);
  segment.error = row.text(7);
  return segment;
}

}  // namespace pytoon::io
