// SqlStore: references that end, by their age or because somebody asked for it.
#include <algorithm>

#include "server/io/sql_gc.h"
#include "server/jobs/store_rules.h"

namespace pytoon::io {
using jobs::JobStatus;
using jobs::RowKind;
using std::chrono::hours;
using std::chrono::milliseconds;
using Keys = std::vector<std::string>;

namespace {

constexpr std::string_view kLive = "('QUEUED', 'PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING')";

// All that the job's rows name, and the names that its files have.
Keys objects_of(SqlSession& session, const std::string& id) {
  Keys keys;
  for (const jobs::Segment& segment : read_segments(session, id)) {
    keys.push_back(jobs::segment_link_key(id, segment.index));
    for (const std::string& key : {segment.artifact_key, segment.footage_key}) {
      if (!key.empty()) keys.push_back(key);
    }
  }
  for (const char* file : jobs::kOutputFiles) keys.push_back(jobs::job_file_key(id, file));
  for (const Row& row :
       session.query("SELECT audio_key, output_folder FROM jobs WHERE id = ?", {id})) {
    if (!row.text(0).empty()) keys.push_back(row.text(0));
    // All that its winner wrote.
    if (!row.text(1).empty()) keys.push_back(row.text(1) + "/");
  }
  return keys;
}

// The uploads of the job begin to be unused now.
void let_go_of_assets(SqlSession& session, const std::string& id) {
  session.run(
      "UPDATE assets SET last_used_at = ? WHERE key IN (SELECT key FROM job_assets WHERE "
      "job_id = ?)",
      {session.now(), id});
}

// A segment of a FAILED job is as if it had never been drawn: that job may be run again.
void clear_file_columns(SqlSession& session, const std::string& id, JobStatus status) {
  if (status == JobStatus::kFailed) {
    session.run(
        "UPDATE segments SET status = 'PENDING', footage = NULL, engine_used = '', "
        "content_key = '', finished_at = NULL WHERE job_id = ?",
        {id});
  }
  session.run(
      "UPDATE segments SET artifact_key = '', artifact_sha256 = '', footage_key = '', "
      "footage_sha256 = '' WHERE job_id = ?",
      {id});
  session.run(
      "UPDATE jobs SET audio_key = '', audio_sha256 = '', output_folder = '', "
      "files_removed_at = ? WHERE id = ?",
      {session.now(), id});
}

// One statement a kind: the cutoff, then the limit.
std::string_view purge_sql(RowKind kind) {
  switch (kind) {
    case RowKind::kJob:
      return "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE files_removed_at IS NOT NULL "
             "AND completed_at < ? AND status IN ('DONE', 'FAILED', 'CANCELLED') "
             "ORDER BY completed_at LIMIT ?)";
    case RowKind::kIdempotencyRecord:
      return "DELETE FROM idempotency_records WHERE (tenant, idempotency_key) IN (SELECT tenant, "
             "idempotency_key FROM idempotency_records WHERE created_at < ? ORDER BY created_at "
             "LIMIT ?)";
    case RowKind::kEvent:
      return "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state <> 'pending' AND "
             "due_at < ? ORDER BY due_at LIMIT ?)";
    case RowKind::kDeadLetter:
      return "DELETE FROM dead_letters WHERE seq IN (SELECT seq FROM dead_letters WHERE at < ? "
             "ORDER BY at LIMIT ?)";
    case RowKind::kPurchase:
      return "DELETE FROM purchases WHERE key IN (SELECT key FROM purchases WHERE reserved_at < ? "
             "AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = purchases.job_id AND status IN "
             "('QUEUED', 'PLANNING', 'RENDERING_SEGMENTS', 'ASSEMBLING')) "
             "ORDER BY reserved_at LIMIT ?)";
  }
  throw DatabaseError(FailureKind::kInternal, "a RowKind has no statement");
}

}  // namespace

Result<std::int64_t> SqlStore::expire_jobs(JobStatus status, hours age, int limit) {
  return writing("expire_jobs", [&](SqlSession& session) -> Result<std::int64_t> {
    const Rows ended = session.query(
        "SELECT id, tenant FROM jobs WHERE status = ? AND completed_at < ? AND files_removed_at IS "
        "NULL "
        "ORDER BY completed_at LIMIT ? {FOR UPDATE SKIP LOCKED}",
        {name_of(status), session.now() - micros(age), limit});
    for (const Row& row : ended) {
      const std::string& id = row.text(0);
      for (const std::string& key : objects_of(session, id)) {
        queue_deletion(session, key, row.text(1), {});
      }
      let_go_of_assets(session, id);
      clear_file_columns(session, id, status);
    }
    return std::int64_t{std::ssize(ended)};
  });
}

Result<std::int64_t> SqlStore::expire_assets(hours age, int limit) {
  // Found without a lock: old uploads that are in use may be many. Each is asked about again.
  const auto unused = reading([&](SqlSession& session) -> Result<Keys> {
    Keys keys;
    for (const Row& row : session.query(
             "SELECT key FROM assets WHERE last_used_at < ? AND NOT EXISTS (SELECT 1 FROM "
             "job_assets JOIN jobs ON jobs.id = job_assets.job_id WHERE job_assets.key = "
             "assets.key AND jobs.files_removed_at IS NULL) ORDER BY last_used_at LIMIT ?",
             {session.now() - micros(age), limit})) {
      keys.push_back(row.text(0));
    }
    return keys;
  });
  if (!unused) return unused.failure();
  std::int64_t expired = 0;
  for (const std::string& key : *unused) {
    const auto gone = writing("expire_assets", [&](SqlSession& session) -> Result<std::int64_t> {
      if (!queue_deletion(session, key, "", {})) return std::int64_t{0};
      session.query("SELECT 1 FROM assets WHERE key = ? {FOR UPDATE}", {key});
      const std::int64_t removed = session.run(
          "DELETE FROM assets WHERE key = ? AND last_used_at < ? AND NOT EXISTS (SELECT 1 FROM "
          "job_assets JOIN jobs ON jobs.id = job_assets.job_id WHERE job_assets.key = assets.key "
          "AND jobs.files_removed_at IS NULL)",
          {key, session.now() - micros(age)});
      const bool shared = !session.query("SELECT 1 FROM assets WHERE key = ?", {key}).empty();
      if (removed == 0 || shared) unqueue_deletion(session, key);
      return removed;
    });
    if (!gone) return gone.failure();
    expired += *gone;
  }
  return expired;
}

Result<std::int64_t> SqlStore::purge_rows(RowKind kind, hours age, int limit) {
  return writing("purge_rows", [&](SqlSession& session) -> Result<std::int64_t> {
    const std::int64_t before = session.now() - micros(age);
    const std::int64_t gone = session.run(purge_sql(kind), {before, limit});
    if (kind == RowKind::kPurchase) {
      session.run("DELETE FROM spend WHERE changed_at < ?", {before});
    }
    return gone;
  });
}

Result<Keys> SqlStore::delete_job(const std::string& id) {
  return writing("delete_job", [&](SqlSession& session) -> Result<Keys> {
    const std::optional<jobs::Job> job = lock_job(session, id);
    if (!job) return jobs::no_such_job(id);
    if (!is_terminal(job->status)) {
      return failure(FailureKind::kConflict, "the job is " + std::string(name_of(job->status)) +
                                                 ": cancel it before it is deleted");
    }
    Keys keys = objects_of(session, id);
    // Losers too: nobody can commit anything of this job any more.
    for (const std::string& all : {"jobs/" + id + "/", "outputs/" + id + "/", "footage/" + id + "/",
                                   "audio/" + id + ".", "sound/" + id + "."})
      keys.push_back(all);
    for (const std::string& key : keys) queue_deletion(session, key, job->tenant, kDeletionLease);
    let_go_of_assets(session, id);
    session.run("DELETE FROM dead_letters WHERE job_id = ?", {id});
    session.run("DELETE FROM jobs WHERE id = ?", {id});
    session.run(
        "DELETE FROM tenant_turns WHERE tenant = ? AND NOT EXISTS (SELECT 1 FROM jobs WHERE tenant "
        "= ?)",
        {job->tenant, job->tenant});
    return keys;
  });
}

Result<Keys> SqlStore::delete_asset(const std::optional<std::string>& tenant,
                                    const std::string& key) {
  static const std::string live_job =
      "SELECT jobs.id FROM job_assets JOIN jobs ON jobs.id = job_assets.job_id "
      "WHERE job_assets.key = ? AND jobs.status IN " +
      std::string(kLive) + " LIMIT 1";
  return writing("delete_asset", [&](SqlSession& session) -> Result<Keys> {
    // The entry first: see condemn().
    const bool queued = queue_deletion(session, key, tenant.value_or(""), kDeletionLease);
    const Rows owners =
        session.query("SELECT tenant FROM assets WHERE key = ? {FOR UPDATE}", {key});
    const bool theirs = std::any_of(owners.begin(), owners.end(), [&](const Row& row) {
      return !tenant || row.text(0) == *tenant;
    });
    if (!queued || !theirs) return jobs::no_such_asset(key);
    // Another statement than the lock: what was committed while we waited for it counts.
    const Rows jobs = session.query(live_job, {key});
    if (!jobs.empty()) {
      return failure(FailureKind::kConflict,
                     "the job " + jobs[0].text(0) + " needs it: cancel it, or wait for its end");
    }
    session.run("DELETE FROM assets WHERE key = ?", {key});
    return Keys{key};
  });
}

Result<Keys> SqlStore::assets_of(const std::string& tenant, int limit) {
  return reading([&](SqlSession& session) -> Result<Keys> {
    Keys keys;
    for (const Row& row : session.query(
             "SELECT key FROM assets WHERE tenant = ? ORDER BY key LIMIT ?", {tenant, limit})) {
      keys.push_back(row.text(0));
    }
    return keys;
  });
}

Status SqlStore::purge_spend(const std::string& job_id) {
  return writing("purge_spend", [&](SqlSession& session) -> Status {
    session.run("DELETE FROM purchases WHERE job_id = ?", {job_id});
    session.run("DELETE FROM spend WHERE account = 'job/' || ?", {job_id});
    return ok_status();
  });
}

Result<jobs::TenantRows> SqlStore::rows_of(const std::string& tenant) {
  return reading([&](SqlSession& session) -> Result<jobs::TenantRows> {
    const auto count = [&](std::string_view sql) {
      return session.query(sql, {tenant}).at(0).integer(0);
    };
    jobs::TenantRows rows;
    rows.jobs = count("SELECT count(*) FROM jobs WHERE tenant = ?");
    rows.assets = count("SELECT count(*) FROM assets WHERE tenant = ?");
    rows.idempotency_records = count("SELECT count(*) FROM idempotency_records WHERE tenant = ?");
    rows.deletions = count("SELECT count(*) FROM deletions WHERE tenant = ?");
    return rows;
  });
}

}  // namespace pytoon::io
