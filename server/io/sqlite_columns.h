// The queries that several methods share, and how their rows are read. Columns are counted in one
// place.
#pragma once

#include <string>

#include "server/io/sqlite.h"
#include "server/jobs/job.h"

namespace pytoon::io {

inline constexpr const char* kSelectJob =
    "SELECT seq, spec, id, tenant, status, priority, run, attempts, crashes, progress_pct, "
    "fallback_used, fallback_reason, error, version, created_at, updated_at, completed_at, "
    "CASE status WHEN 'QUEUED' THEN 1 + "
    "(SELECT count(*) FROM jobs q WHERE q.status = 'QUEUED' AND q.priority > jobs.priority) + "
    "(SELECT count(*) FROM jobs q WHERE q.status = 'QUEUED' AND q.priority = jobs.priority "
    "AND q.seq < jobs.seq) ELSE 0 END "
    "FROM jobs WHERE id = ?";
inline constexpr int kSeqColumn = 0;
inline constexpr int kSpecColumn = 1;

inline constexpr const char* kSelectSegments =
    "SELECT idx, status, duration_seconds, engine_used, content_key, artifact_key, "
    "artifact_sha256, error FROM segments WHERE job_id = ? ORDER BY idx";

inline constexpr const char* kCountQueued = "SELECT count(*) FROM jobs WHERE status = 'QUEUED'";

// The live job to lease next. Parameters: now, now. Without the hint SQLite sorts all live jobs.
inline constexpr const char* kSelectFree =
    "SELECT id, lease_holder FROM jobs INDEXED BY jobs_live WHERE status IN ('QUEUED', 'PLANNING', "
    "'RENDERING_SEGMENTS', 'ASSEMBLING') AND not_before <= ? AND "
    "(lease_holder = '' OR lease_expires_at <= ?) ORDER BY priority DESC, seq LIMIT 1";

// Parameters: seq before which, tenant and status where asked for, limit. Newest first; the same
// columns as kSelectJob.
std::string list_query(bool by_tenant, bool by_status);

// All but the spec.
jobs::Job read_job_columns(const Statement& row);
jobs::Segment read_segment_columns(const Statement& row);

}  // namespace pytoon::io
