// SqlStore: work whose worker is gone, and jobs whose encoder is gone.
#include <algorithm>
#include <set>

#include "server/io/sql_deaths.h"
#include "server/io/sql_flow.h"
#include "server/io/sql_writing.h"
#include "server/jobs/job_trace.h"
#include "server/jobs/store_rules.h"
#include "server/jobs/task_rules.h"

namespace pytoon::io {
using jobs::Degraded;
using jobs::EngineOrphan;
using jobs::Job;
using jobs::Reaped;
using jobs::Segment;
using jobs::TaskKind;
using std::chrono::milliseconds;

namespace {

// All that a worker with an expired lease holds of this job: it renews them together, so one that
// ran out means that it is gone. However many tasks and workers go at once, that is one death for
// the job: a host that lost its power must not quarantine what it worked on.
std::vector<Orphan> read_orphans(SqlSession& session, const std::string& job_id) {
  std::vector<Orphan> orphans;
  for (const Row& row : session.query(
           "SELECT kind, segment, worker_id, id, alone FROM tasks "
           "WHERE job_id = ? AND worker_id IN (SELECT worker_id FROM tasks WHERE job_id = ? AND "
           "worker_id <> '' AND expires_at <= ?) ORDER BY id",
           {job_id, job_id, session.now()})) {
    Orphan orphan;
    orphan.task.job_id = job_id;
    orphan.task.kind = *jobs::task_kind_from_name(row.text(0));
    orphan.task.segment = row.small(1);
    orphan.task.worker_id = row.text(2);
    orphan.task_id = row.integer(3);
    orphan.alone = row.integer(4) != 0;
    orphans.push_back(std::move(orphan));
  }
  return orphans;
}

// column: encoders or engines
std::set<std::string> live(SqlSession& session, const std::string& column, milliseconds patience) {
  std::set<std::string> names;
  for (const Row& row : session.query("SELECT " + column + " FROM workers WHERE seen_at > ?",
                                      {session.now() - micros(patience)})) {
    for (const std::string& name : names_from_text(row.text(0))) names.insert(name);
  }
  return names;
}

}  // namespace

Result<bool> SqlStore::begin_reaping(milliseconds pause) {
  return take_turn("begin_reaping", "fleet", "reap_at", pause);
}

Result<std::vector<Reaped>> SqlStore::reap() {
  const Result<std::vector<std::string>> concerned =
      reading([](SqlSession& session) -> Result<std::vector<std::string>> {
        std::vector<std::string> ids;
        for (const Row& row : session.query(
                 "SELECT DISTINCT job_id FROM tasks WHERE worker_id <> '' AND expires_at <= ?",
                 {session.now()})) {
          ids.push_back(row.text(0));
        }
        return ids;
      });
  if (!concerned) return concerned.failure();
  std::vector<Reaped> all;
  for (const std::string& id : *concerned) {
    Result<std::vector<Reaped>> some = reap_job(id);
    if (!some) return some;
    std::move(some->begin(), some->end(), std::back_inserter(all));
  }
  return all;
}

Result<std::vector<Reaped>> SqlStore::reap_job(const std::string& job_id) {
  return writing("reap", [&](SqlSession& session) -> Result<std::vector<Reaped>> {
    std::optional<Job> job = lock_job(session, job_id);
    if (!job) return std::vector<Reaped>();
    const std::vector<Orphan> orphans = read_orphans(session, job_id);
    if (orphans.empty()) return std::vector<Reaped>();
    const int crashes =
        jobs::crashes_after_death(job->crashes, deaths_alone(session, orphans)) - job->crashes;
    add_deaths(session, job_id, orphans, crashes);
    for (const auto& [id, task, alone] : orphans) {
      session.run("UPDATE tasks SET alone = 0, waiting_for = '', waiting_since = NULL WHERE id = ?",
                  {id});
      free_task(session, job_id, {task.kind, task.segment}, 0, false);
    }
    job->attempts += static_cast<int>(orphans.size());
    const Reaped& last = orphans.back().task;
    const jobs::CrashVerdict verdict = count_crashes(
        session, *job, crashes, describe(last.kind, last.segment) + " by " + last.worker_id);
    std::vector<Reaped> reaped;
    for (const Orphan& orphan : orphans) {
      reaped.push_back(orphan.task);
      reaped.back().trace_id = jobs::trace_of(*job).trace_id;
      reaped.back().crashes = job->crashes;
    }
    reaped.back().quarantined = verdict == jobs::CrashVerdict::kQuarantine;
    reaped.back().failed = verdict == jobs::CrashVerdict::kFail;
    return reaped;
  });
}

Result<std::vector<Degraded>> SqlStore::degrade(const std::string& to, milliseconds patience) {
  using Stranded = std::vector<std::pair<std::string, std::string>>;  // job, encoder
  const Result<Stranded> stranded = reading([&](SqlSession& session) -> Result<Stranded> {
    Stranded jobs;
    const std::set<std::string> encoders = live(session, "encoders", patience);
    if (!encoders.contains(to)) return jobs;  // nobody could go on with it either
    for (const Row& row : session.query(
             "SELECT id, encoder FROM jobs WHERE status IN ('QUEUED', 'PLANNING', "
             "'RENDERING_SEGMENTS', 'ASSEMBLING') AND encoder NOT IN ('', ?) AND open_segments > 0",
             {to})) {
      if (!encoders.contains(row.text(1))) jobs.emplace_back(row.text(0), row.text(1));
    }
    return jobs;
  });
  if (!stranded) return stranded.failure();
  std::vector<Degraded> all;
  for (const auto& [id, from] : *stranded) {
    const Result<std::optional<Degraded>> one = degrade_job(id, from, to);
    if (!one) return one.failure();
    if (*one) all.push_back(**one);
  }
  return all;
}

Result<std::vector<EngineOrphan>> SqlStore::release_engines(milliseconds patience) {
  using Wanted = std::vector<std::pair<std::string, std::string>>;  // job, engine
  const Result<Wanted> wanted = reading([&](SqlSession& session) -> Result<Wanted> {
    Wanted gone;
    const std::set<std::string> engines = live(session, "engines", patience);
    for (const Row& row : session.query(
             "SELECT DISTINCT job_id, engine FROM tasks WHERE engine <> '' AND worker_id = ''")) {
      if (!engines.contains(row.text(1))) gone.emplace_back(row.text(0), row.text(1));
    }
    return gone;
  });
  if (!wanted) return wanted.failure();
  std::vector<EngineOrphan> released;
  for (const auto& [id, engine] : *wanted) {
    std::string trace_id;
    const Status one = writing("release_engines", [&](SqlSession& session) -> Status {
      const std::optional<Job> job = lock_job(session, id);
      if (!job) return ok_status();
      session.run(
          "UPDATE tasks SET engine = '', waiting_for = '', waiting_since = NULL WHERE job_id = ? "
          "AND engine = ? AND worker_id = ''",
          {id, engine});
      trace_id = jobs::trace_of(*job).trace_id;
      return ok_status();
    });
    if (!one) return one.failure();
    released.push_back({id, trace_id});
  }
  return released;
}

Result<std::optional<Degraded>> SqlStore::degrade_job(const std::string& job_id,
                                                      const std::string& from,
                                                      const std::string& to) {
  return writing("degrade", [&](SqlSession& session) -> Result<std::optional<Degraded>> {
    std::optional<Job> job = lock_job(session, job_id);
    if (!job || is_terminal(job->status) || job->encoder != from) {
      return std::optional<Degraded>();
    }
    std::vector<Segment> segments = read_segments(session, job_id);
    for (Segment& segment : segments) segment = jobs::anew(segment);
    job->encoder = to;
    job->degraded = "no live worker has " + from;
    begin_run(session, *job, segments, false);
    return std::optional(Degraded{job_id, jobs::trace_of(*job).trace_id, from, to});
  });
}

}  // namespace pytoon::io
