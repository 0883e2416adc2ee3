// SqlStore: asking about jobs and assets.
#include "server/io/sql_fleet.h"
#include "server/io/sql_writing.h"
#include "server/jobs/store_rules.h"
#include "server/jobs/waiting.h"

namespace pytoon::io {
using jobs::Job;
using jobs::JobStatus;
using jobs::Segment;

namespace {

constexpr std::size_t kVersionsAtOnce = 64;
constexpr int kSegmentsForSpeed = 64;  // so many finished lately are averaged

// Columns behind those of the job in select_job().
constexpr std::size_t kOpenSegments = kJobColumnCount;
constexpr std::size_t kReadyEncoder = kJobColumnCount + 1;
constexpr std::size_t kReadyEngine = kJobColumnCount + 2;

std::string select_versions() {
  return "SELECT id, version FROM jobs WHERE id IN (" + parameters(kVersionsAtOnce) + ")";
}

// With the task that stands ready: the next one, when nobody holds one of them.
std::string select_job() {
  return std::string("SELECT ") + kJobColumns +
         ", jobs.open_segments, ready.encoder, ready.engine FROM jobs LEFT JOIN tasks AS ready ON "
         "ready.id = (SELECT min(next.id) FROM tasks AS next WHERE next.job_id = jobs.id) AND NOT "
         "EXISTS (SELECT 1 FROM tasks AS held WHERE held.job_id = jobs.id AND held.worker_id <> "
         "'') "
         "WHERE jobs.id = ?";
}

// Newest first.
std::string select_page(bool by_tenant, bool by_status) {
  std::string sql = std::string("SELECT ") + kJobColumns + " FROM jobs WHERE seq < ?";
  if (by_tenant) sql += " AND tenant = ?";
  if (by_status) sql += " AND status = ?";
  return sql + " ORDER BY seq DESC LIMIT ?";
}

Rows read_page(SqlSession& session, const std::optional<std::string>& tenant,
               const jobs::ListQuery& query, std::int64_t before) {
  std::vector<Param> params{before};
  if (tenant) params.emplace_back(*tenant);
  if (query.status) params.emplace_back(name_of(*query.status));
  params.emplace_back(std::int64_t{query.limit} + 1);
  return session.query_with(select_page(tenant.has_value(), query.status.has_value()), params);
}

std::optional<jobs::ReadyTask> ready_task(const Row& row) {
  if (row.is_null(kReadyEncoder)) return std::nullopt;
  return jobs::ReadyTask{row.text(kReadyEncoder), row.text(kReadyEngine)};
}

// Of a page: what the queued ones wait for.
void explain_turns(SqlSession& session, std::vector<Job>& page) {
  std::optional<std::vector<jobs::WorkerInfo>> workers;
  for (Job& job : page) {
    if (job.status != JobStatus::kQueued || !job.waiting_for.empty()) continue;
    if (!workers) workers = read_workers(session, jobs::kWorkerSeenWithin);
    job.waiting_for = waiting_text(job, std::nullopt, *workers);
  }
}

// What it waits for where its tasks don't say it. Who is there is asked for only when nobody works
// on it, so that looking at a job that moves costs no query more.
void explain_wait(SqlSession& session, const std::optional<jobs::ReadyTask>& idle, Job& job) {
  if (is_terminal(job.status) || !job.waiting_for.empty() || !idle) return;
  job.waiting_for = waiting_text(job, idle, read_workers(session, jobs::kWorkerSeenWithin));
}

}  // namespace

jobs::QueueLength SqlStore::queue_length(SqlSession& session, const std::string& tenant) {
  const auto queue = queue_.of(session);
  return {queue->queued(), queue->queued_of(tenant)};
}

void SqlStore::number_queued(SqlSession& session, const Rows& rows, std::vector<Job>& page) {
  std::shared_ptr<const jobs::QueueView> queue;
  for (std::size_t i = 0; i < page.size(); ++i) {
    if (page[i].status != JobStatus::kQueued) continue;
    if (!queue) queue = queue_.of(session);
    page[i].queue_position = queue->position({page[i].priority, seq_of(rows[i])});
  }
}

Job SqlStore::complete(SqlSession& session, Job job) {
  job.spec = *specs_.of(session, job.id);
  return job;
}

Result<Job> SqlStore::job(const std::string& id) {
  static const std::string sql = select_job();
  return reading([&](SqlSession& session) -> Result<Job> {
    const Rows rows = session.query(sql, {id});
    if (rows.empty()) return jobs::no_such_job(id);
    Job job = complete(session, read_job(rows[0]));
    if (!is_terminal(job.status)) {
      const auto queue = queue_.of(session);
      const jobs::Rank rank{job.priority, seq_of(rows[0])};
      if (job.status == JobStatus::kQueued) job.queue_position = queue->position(rank);
      job.segments_ahead =
          queue->segments_ahead({rank, job.tenant, rows[0].integer(kOpenSegments)});
    }
    explain_wait(session, ready_task(rows[0]), job);
    return job;
  });
}

Result<std::vector<Segment>> SqlStore::segments(const std::string& job_id) {
  return reading([&](SqlSession& session) -> Result<std::vector<Segment>> {
    std::vector<Segment> segments = read_segments(session, job_id);
    if (segments.empty()) return jobs::no_such_job(job_id);
    return segments;
  });
}

// Some at a time, so that there is one text of the query.
Result<std::map<std::string, std::int64_t>> SqlStore::versions(
    const std::vector<std::string>& ids) {
  static const std::string sql = select_versions();
  return reading([&](SqlSession& session) -> Result<std::map<std::string, std::int64_t>> {
    std::map<std::string, std::int64_t> versions;
    for (std::size_t first = 0; first < ids.size(); first += kVersionsAtOnce) {
      std::vector<Param> params(kVersionsAtOnce, Param(std::string_view()));
      const std::size_t count = std::min(kVersionsAtOnce, ids.size() - first);
      for (std::size_t i = 0; i < count; ++i) params[i] = ids[first + i];
      for (const Row& row : session.query_with(sql, params)) {
        versions[row.text(0)] = row.integer(1);
      }
    }
    return versions;
  });
}

Result<jobs::JobPage> SqlStore::list(const std::optional<std::string>& tenant,
                                     const jobs::ListQuery& query) {
  const Result<std::int64_t> before = jobs::cursor_from_text(query.cursor);
  if (!before) return before.failure();
  return reading([&](SqlSession& session) -> Result<jobs::JobPage> {
    const Rows rows = read_page(session, tenant, query, *before);
    jobs::JobPage page;
    for (const Row& row : rows) {
      if (std::ssize(page.jobs) == query.limit) {
        page.next_cursor = std::to_string(seq_of(rows[page.jobs.size() - 1]));
        break;
      }
      page.jobs.push_back(complete(session, read_job(row)));
    }
    number_queued(session, rows, page.jobs);
    explain_turns(session, page.jobs);
    return page;
  });
}

Result<jobs::QueueLength> SqlStore::queued(const std::string& tenant) {
  return reading([&](SqlSession& session) -> Result<jobs::QueueLength> {
    return queue_length(session, tenant);
  });
}

Result<jobs::TenantUse> SqlStore::use_of(const std::string& tenant) {
  return reading([&](SqlSession& session) -> Result<jobs::TenantUse> {
    const Rows uploads = session.query(
        "SELECT count(*), coalesce(sum(size), 0) FROM assets WHERE tenant = ?", {tenant});
    const Rows tasks =
        session.query("SELECT count(*) FROM tasks WHERE tenant = ? AND worker_id <> ''", {tenant});
    jobs::TenantUse use;
    use.queued_jobs = queue_length(session, tenant).of_tenant;
    use.running_tasks = tasks.at(0).integer(0);
    use.stored_uploads = uploads.at(0).integer(0);
    use.storage_bytes = uploads.at(0).integer(1);
    return use;
  });
}

Result<jobs::Backlog> SqlStore::backlog() {
  return reading([](SqlSession& session) -> Result<jobs::Backlog> {
    const std::int64_t now = session.now();
    const Rows rows = session.query(
        "SELECT queue.jobs, queue.oldest, open.segments, speed.seconds, crew.threads, "
        "crew.gpu_threads FROM "
        "(SELECT count(*) AS jobs, min(created_at) AS oldest FROM jobs WHERE status = 'QUEUED') "
        "AS queue CROSS JOIN "
        "(SELECT coalesce(sum(open_segments), 0) AS segments FROM jobs WHERE status IN ('QUEUED', "
        "'PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING')) AS open CROSS JOIN "
        "(SELECT coalesce(avg(render_seconds), 0) AS seconds FROM (SELECT render_seconds FROM "
        "segments WHERE finished_at IS NOT NULL AND reused = 0 ORDER BY finished_at DESC LIMIT ?) "
        "AS lately) AS speed CROSS JOIN "
        "(SELECT coalesce(sum(threads), 0) AS threads, coalesce(sum(CASE WHEN device_kind = 'cuda' "
        "THEN threads END), 0) AS gpu_threads FROM workers WHERE draining = 0 AND seen_at > ?) "
        "AS crew",
        {kSegmentsForSpeed, now - micros(jobs::kWorkerSeenWithin)});
    const Row& row = rows.at(0);
    jobs::Backlog backlog;
    backlog.queued_jobs = row.integer(0);
    if (backlog.queued_jobs > 0) {
      const auto age = std::chrono::microseconds(std::max<std::int64_t>(0, now - row.integer(1)));
      backlog.oldest_queued_seconds = std::chrono::duration<double>(age).count();
    }
    backlog.open_segments = row.integer(2);
    backlog.seconds_per_segment = row.number(3);
    backlog.threads = row.small(4);
    backlog.gpu_threads = row.small(5);
    return backlog;
  });
}

// Every tenant that has work, those with the longest queues first.
Result<std::vector<jobs::TenantQueue>> SqlStore::queue_by_tenant(int limit) {
  return reading([&](SqlSession& session) -> Result<std::vector<jobs::TenantQueue>> {
    std::vector<jobs::TenantQueue> queues;
    for (const Row& row : session.query(
             "SELECT tenant, sum(CASE WHEN status = 'QUEUED' THEN 1 ELSE 0 END) AS queued, "
             "count(*) AS live, sum(open_segments), min(CASE WHEN status = 'QUEUED' THEN "
             "created_at END), coalesce((SELECT weight FROM tenant_weights WHERE "
             "tenant_weights.tenant = jobs.tenant), 1), (SELECT count(*) FROM tasks WHERE "
             "tasks.tenant = jobs.tenant AND worker_id <> '') FROM jobs WHERE status IN ('QUEUED', "
             "'PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING') GROUP BY tenant "
             "ORDER BY queued DESC, live DESC, tenant LIMIT ?",
             {limit})) {
      jobs::TenantQueue queue;
      queue.tenant = row.text(0);
      queue.queued_jobs = row.integer(1);
      queue.running_jobs = row.integer(2) - queue.queued_jobs;
      queue.open_segments = row.integer(3);
      if (!row.is_null(4)) {
        const auto age = std::chrono::microseconds(session.now() - row.integer(4));
        queue.oldest_queued_seconds = std::chrono::duration<double>(age).count();
      }
      queue.weight = row.small(5);
      queue.running_tasks = row.integer(6);
      queues.push_back(std::move(queue));
    }
    return queues;
  });
}

Result<std::optional<jobs::IdempotencyRecord>> SqlStore::record(
    const std::string& tenant, const std::string& idempotency_key) {
  return reading([&](SqlSession& session) -> Result<std::optional<jobs::IdempotencyRecord>> {
    return find_record(session, tenant, idempotency_key);
  });
}

Result<jobs::AssetRecord> SqlStore::asset(const std::optional<std::string>& tenant,
                                          const std::string& key) {
  return reading([&](SqlSession& session) -> Result<jobs::AssetRecord> {
    const Rows rows = session.query(
        "SELECT client_name, category, format, size, sha256, width, height, has_alpha, "
        "duration_seconds, channels, sample_rate, tenant FROM assets WHERE key = ?",
        {key});
    if (rows.empty() || (tenant && rows[0].text(11) != *tenant)) return jobs::no_such_asset(key);
    const Row& row = rows[0];
    jobs::AssetRecord asset;
    asset.tenant = row.text(11);
    asset.key = key;
    asset.client_name = row.text(0);
    asset.category = row.text(1);
    asset.media.format = row.text(2);
    asset.size = row.integer(3);
    asset.sha256 = row.text(4);
    asset.media.size.width = row.small(5);
    asset.media.size.height = row.small(6);
    asset.media.has_alpha = row.integer(7) != 0;
    asset.media.duration_seconds = row.number(8);
    asset.media.channels = row.small(9);
    asset.media.sample_rate = row.small(10);
    return asset;
  });
}

}  // namespace pytoon::io
