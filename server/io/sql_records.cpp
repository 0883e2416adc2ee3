#include "server/io/sql_records.h"

#include "server/jobs/store_rules.h"

namespace pytoon::io {
using jobs::Job;
using jobs::Segment;
using jobs::Task;

namespace {

constexpr std::string_view kImages = "images";
constexpr std::string_view kCard = "card";
constexpr std::string_view kClip = "clip";

[[noreturn]] void unknown(const std::string& what, const std::string& word) {
  throw DatabaseError(FailureKind::kInternal, "the database has an unknown " + what + ": " + word);
}

Param footage_text(const Segment& segment) {
  if (!segment.footage) return Null{};
  switch (*segment.footage) {
    case plan::SourceKind::kImages:
      return kImages;
    case plan::SourceKind::kCard:
      return kCard;
    case plan::SourceKind::kClip:
      return kClip;
  }
  unknown("footage", std::to_string(static_cast<int>(*segment.footage)));
}

std::optional<plan::SourceKind> footage_in(const Row& row, std::size_t column) {
  if (row.is_null(column)) return std::nullopt;
  if (row.text(column) == kImages) return plan::SourceKind::kImages;
  if (row.text(column) == kCard) return plan::SourceKind::kCard;
  if (row.text(column) == kClip) return plan::SourceKind::kClip;
  unknown("footage", row.text(column));
}

Segment read_segment(const Row& row) {
  Segment segment;
  segment.index = row.small(0);
  const auto status = jobs::segment_status_from_name(row.text(1));
  if (!status) unknown("segment status", row.text(1));
  segment.status = *status;
  segment.duration_seconds = row.small(2);
  segment.footage = footage_in(row, 3);
  segment.footage_key = row.text(4);
  segment.footage_sha256 = row.text(5);
  segment.engine_used = row.text(6);
  segment.content_key = row.text(7);
  segment.artifact_key = row.text(8);
  segment.artifact_sha256 = row.text(9);
  segment.error = row.text(10);
  segment.engine_next = row.text(11);
  segment.engine_failures = row.text(12);
  segment.render_seconds = row.number(13);
  segment.finished_at = time_in(row, 14);
  segment.reused = row.integer(15) != 0;
  return segment;
}

}  // namespace

const char* const kJobColumns =
    "jobs.seq, jobs.id, jobs.tenant, jobs.status, jobs.priority, jobs.run, jobs.attempts, "
    "jobs.crashes, jobs.progress_pct, jobs.fallback_used, jobs.fallback_reason, jobs.error, "
    "jobs.version, jobs.created_at, jobs.updated_at, jobs.completed_at, jobs.webhook_url, "
    "jobs.encoder, jobs.degraded, jobs.audio_key, jobs.audio_sha256, jobs.audio_facts, "
    "jobs.started_at, jobs.rendered_at, jobs.taken_at, jobs.output_folder, "
    "jobs.files_removed_at, jobs.traceparent, (SELECT t.waiting_for FROM tasks t WHERE t.job_id = "
    "jobs.id AND "
    "t.waiting_for <> '' ORDER BY t.waiting_since, t.id LIMIT 1), jobs.segments_reused";

std::int64_t seq_of(const Row& job_row) { return job_row.integer(0); }

Job read_job(const Row& row) {
  Job job;
  job.id = row.text(1);
  job.tenant = row.text(2);
  const auto status = jobs::job_status_from_name(row.text(3));
  if (!status) unknown("job status", row.text(3));
  job.status = *status;
  job.priority = row.small(4);
  job.run = row.small(5);
  job.attempts = row.small(6);
  job.crashes = row.small(7);
  job.progress_pct = row.small(8);
  job.fallback_used = row.integer(9) != 0;
  job.fallback_reason = row.text(10);
  job.error = row.text(11);
  job.version = row.integer(12);
  job.created_at = time_from(row.integer(13));
  job.updated_at = time_from(row.integer(14));
  job.completed_at = time_in(row, 15);
  job.webhook_url = row.text(16);
  job.encoder = row.text(17);
  job.degraded = row.text(18);
  job.audio_key = row.text(19);
  job.audio_sha256 = row.text(20);
  job.audio_facts = row.text(21);
  job.started_at = time_in(row, 22);
  job.rendered_at = time_in(row, 23);
  job.taken_at = time_in(row, 24);
  job.output_folder = row.text(25);
  job.files_removed = !row.is_null(26);
  job.traceparent = row.text(27);
  job.waiting_for = row.text(28);
  job.segments_reused = row.small(29);
  return job;
}

std::optional<Job> lock_job(SqlSession& session, const std::string& id) {
  static const std::string sql =
      std::string("SELECT ") + kJobColumns + " FROM jobs WHERE id = ? {FOR NO KEY UPDATE}";
  const Rows rows = session.query(sql, {id});
  if (rows.empty()) return std::nullopt;
  return read_job(rows[0]);
}

Result<Job> lock_held_job(SqlSession& session, const jobs::Lease& lease) {
  std::optional<Job> job = lock_job(session, lease.job_id);
  if (!job || is_terminal(job->status)) return jobs::lease_lost(lease);
  const Rows held = session.query(
      "SELECT 1 FROM tasks WHERE job_id = ? AND kind = ? AND segment = ? AND epoch = ? AND "
      "worker_id <> ''",
      {lease.job_id, name_of(lease.kind), lease.segment, lease.epoch});
  if (held.empty()) return jobs::lease_lost(lease);
  return std::move(*job);
}

std::vector<Segment> read_segments(SqlSession& session, const std::string& job_id) {
  const Rows rows = session.query(
      "SELECT idx, status, duration_seconds, footage, footage_key, footage_sha256, engine_used, "
      "content_key, artifact_key, artifact_sha256, error, engine_next, engine_failures, "
      "render_seconds, finished_at, reused "
      "FROM segments WHERE job_id = ? "
      "ORDER BY idx",
      {job_id});
  std::vector<Segment> segments;
  segments.reserve(rows.size());
  for (const Row& row : rows) segments.push_back(read_segment(row));
  return segments;
}

void write_segment(SqlSession& session, const std::string& job_id, const Segment& segment) {
  session.run(
      "UPDATE segments SET status = ?, footage = ?, footage_key = ?, footage_sha256 = ?, "
      "engine_used = ?, content_key = ?, artifact_key = ?, artifact_sha256 = ?, error = ?, "
      "engine_next = ?, engine_failures = ?, reused = ?, finished_at = NULL "
      "WHERE job_id = ? AND idx = ?",
      {name_of(segment.status), footage_text(segment), segment.footage_key, segment.footage_sha256,
       segment.engine_used, segment.content_key, segment.artifact_key, segment.artifact_sha256,
       segment.error, segment.engine_next, segment.engine_failures, std::int64_t{segment.reused},
       job_id, segment.index});
}

std::optional<jobs::IdempotencyRecord> find_record(SqlSession& session, const std::string& tenant,
                                                   const std::string& idempotency_key) {
  const Rows rows = session.query(
      "SELECT body_sha256, job_id, segments FROM idempotency_records WHERE tenant = ? AND "
      "idempotency_key = ?",
      {tenant, idempotency_key});
  if (rows.empty()) return std::nullopt;
  return jobs::IdempotencyRecord{rows[0].text(0), {rows[0].text(1), rows[0].small(2), false}};
}

std::vector<Task> read_tasks(SqlSession& session, const std::string& job_id) {
  std::vector<Task> tasks;
  for (const Row& row :
       session.query("SELECT kind, segment FROM tasks WHERE job_id = ?", {job_id})) {
    const auto kind = jobs::task_kind_from_name(row.text(0));
    if (!kind) unknown("task kind", row.text(0));
    tasks.push_back({*kind, row.small(1)});
  }
  return tasks;
}

void add_tasks(SqlSession& session, const Job& job, const std::vector<Task>& tasks) {
  for (const Task& task : tasks) {
    const std::string_view encoder =
        task.kind == jobs::TaskKind::kRender ? std::string_view(job.encoder) : std::string_view("");
    session.run(
        "INSERT INTO tasks (job_id, kind, segment, tenant, priority, seq, encoder) "
        "SELECT id, ?, ?, tenant, priority, seq, ? FROM jobs WHERE id = ?",
        {name_of(task.kind), task.segment, encoder, job.id});
    if (task.kind == jobs::TaskKind::kFootage) set_engine_of_footage(session, job.id, task.segment);
  }
}

void set_engine_of_footage(SqlSession& session, const std::string& job_id, int segment) {
  session.run(
      "UPDATE tasks SET waiting_for = '', waiting_since = NULL, engine = (SELECT engine_next FROM "
      "segments s WHERE s.job_id = tasks.job_id AND s.idx = tasks.segment) WHERE job_id = ? AND "
      "kind = 'footage' AND segment = ?",
      {job_id, segment});
}

void remove_task(SqlSession& session, const std::string& job_id, const Task& task) {
  session.run("DELETE FROM tasks WHERE job_id = ? AND kind = ? AND segment = ?",
              {job_id, name_of(task.kind), task.segment});
}

void remove_all_tasks(SqlSession& session, const std::string& job_id) {
  session.run("DELETE FROM tasks WHERE job_id = ?", {job_id});
  session.run("UPDATE segments SET status = 'PENDING' WHERE job_id = ? AND status = 'RUNNING'",
              {job_id});
}

void free_task(SqlSession& session, const std::string& job_id, const Task& task,
               std::int64_t not_before, bool failed) {
  session.run(
      "UPDATE tasks SET worker_id = '', not_before = ?, failures = failures + ?, frames = 0, "
      "waiting_since = CASE WHEN ? = 1 THEN NULL ELSE waiting_since END, "
      "waiting_for = CASE WHEN ? = 1 THEN '' ELSE waiting_for END WHERE job_id = ? AND kind = ? "
      "AND segment = ?",
      {not_before, std::int64_t{failed}, std::int64_t{failed}, std::int64_t{failed}, job_id,
       name_of(task.kind), task.segment});
  session.run(
      "UPDATE segments SET status = 'PENDING' WHERE job_id = ? AND idx = ? AND status = 'RUNNING'",
      {job_id, task.segment});
}

void write_job(SqlSession& session, Job& job) {
  ++job.version;
  job.updated_at = time_from(session.now());
  session.run(
      "UPDATE jobs SET status = ?, run = ?, attempts = ?, crashes = ?, progress_pct = ?, "
      "fallback_used = ?, fallback_reason = ?, error = ?, version = ?, updated_at = ?, "
      "completed_at = ?, encoder = ?, degraded = ?, audio_key = ?, audio_sha256 = ?, "
      "audio_facts = ?, started_at = ?, rendered_at = ?, output_folder = ?, open_segments = "
      "(SELECT count(*) FROM segments WHERE job_id = jobs.id AND status <> 'DONE'), "
      "segments_reused = (SELECT count(*) FROM segments WHERE job_id = jobs.id AND status = 'DONE' "
      "AND reused = 1) WHERE id = ?",
      {name_of(job.status),
       job.run,
       job.attempts,
       job.crashes,
       job.progress_pct,
       std::int64_t{job.fallback_used},
       job.fallback_reason,
       job.error,
       job.version,
       std::int64_t{job.updated_at.time_since_epoch().count()},
       time_or_null(job.completed_at),
       job.encoder,
       job.degraded,
       job.audio_key,
       job.audio_sha256,
       job.audio_facts,
       time_or_null(job.started_at),
       time_or_null(job.rendered_at),
       job.output_folder,
       job.id});
}

int frames_under_way(SqlSession& session, const std::string& job_id) {
  return session.query("SELECT coalesce(sum(frames), 0) FROM tasks WHERE job_id = ?", {job_id})
      .at(0)
      .small(0);
}

std::string describe(jobs::TaskKind kind, int segment) {
  const std::string name(name_of(kind));
  return segment < 0 ? name : name + " of segment " + std::to_string(segment);
}

void add_dead_letter(SqlSession& session, const std::string& job_id, const std::string& event_id,
                     const std::string& cause) {
  session.run("INSERT INTO dead_letters (job_id, event_id, cause, at) VALUES (?, ?, ?, ?)",
              {job_id, event_id, cause, session.now()});
}

}  // namespace pytoon::io
