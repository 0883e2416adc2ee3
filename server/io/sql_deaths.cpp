#include "server/io/sql_deaths.h"

#include <algorithm>

namespace pytoon::io {
using jobs::Job;

namespace {

// of the job
constexpr const char* kDeathsAt =
    "SELECT 1 FROM deaths WHERE at = ? AND task_id IN (SELECT id FROM tasks WHERE job_id = ?)";

void withdraw_deaths_of(SqlSession& session, Job& job, const std::string& worker_id) {
  const Rows counted = session.query(
      "SELECT at, max(crashes) FROM deaths WHERE worker_id = ? AND task_id IN "
      "(SELECT id FROM tasks WHERE job_id = ?) GROUP BY at",
      {worker_id, job.id});
  if (counted.empty()) return;  // its tasks ended before we had the job
  session.run(
      "DELETE FROM deaths WHERE worker_id = ? AND task_id IN "
      "(SELECT id FROM tasks WHERE job_id = ?)",
      {worker_id, job.id});
  for (const Row& row : counted) {
    // Somebody else died with it and is still away.
    if (!session.query(kDeathsAt, {row.integer(0), job.id}).empty()) continue;
    job.crashes = std::max(0, job.crashes - row.small(1));
  }
  write_job(session, job);
}

}  // namespace

jobs::DeathsAlone deaths_alone(SqlSession& session, const std::vector<Orphan>& orphans) {
  jobs::DeathsAlone most;
  for (const Orphan& orphan : orphans) {
    if (!orphan.alone) continue;
    const Row row = session
                        .query(
                            "SELECT coalesce(sum(alone), 0), coalesce(sum(in_row), 0) FROM deaths "
                            "WHERE task_id = ?",
                            {orphan.task_id})
                        .at(0);
    most.all = std::max(most.all, row.small(0) + 1);
    most.in_row = std::max(most.in_row, row.small(1) + 1);
  }
  return most;
}

void add_deaths(SqlSession& session, const std::string& job_id, const std::vector<Orphan>& orphans,
                int crashes) {
  // Workers die of other things than the tasks that were suspected so far.
  session.run(
      "UPDATE deaths SET in_row = 0 WHERE in_row > 0 AND task_id NOT IN "
      "(SELECT id FROM tasks WHERE job_id = ?)",
      {job_id});
  for (const Orphan& orphan : orphans) {
    if (!orphan.alone) {
      session.run("UPDATE deaths SET in_row = 0 WHERE task_id = ?", {orphan.task_id});
    }
    session.run(
        "INSERT INTO deaths (task_id, worker_id, at, alone, in_row, crashes) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        {orphan.task_id, orphan.task.worker_id, session.now(), std::int64_t{orphan.alone},
         std::int64_t{orphan.alone}, crashes});
  }
}

void forget_crashes(SqlSession& session, const std::string& job_id) {
  session.run(
      "UPDATE deaths SET crashes = 0 WHERE crashes > 0 AND task_id IN "
      "(SELECT id FROM tasks WHERE job_id = ?)",
      {job_id});
}

void withdraw_deaths(SqlSession& session, const std::string& worker_id) {
  // In one order, for another worker may have died of the same jobs and be back as well.
  for (const Row& row : session.query(
           "SELECT DISTINCT tasks.job_id FROM deaths JOIN tasks ON tasks.id = deaths.task_id "
           "WHERE deaths.worker_id = ? ORDER BY tasks.job_id",
           {worker_id})) {
    std::optional<Job> job = lock_job(session, row.text(0));
    if (job) withdraw_deaths_of(session, *job, worker_id);
  }
}

}  // namespace pytoon::io
