// Which deaths of workers are held against which task. A lease that ran out says that its worker
// died, and may be wrong: a process that was frozen (a suspended machine, a debugger, no core for
// it) comes back. So a death is kept with its worker's name, and when that worker, whose name is of
// one start of a process, reports alive it is taken back: the task forgets it, and the job the
// crash that it counted. What was decided of it meanwhile stays: a quarantined job is a card.
//
// Each works on a job that the caller has locked, except withdraw_deaths(), which locks them.
//
// Thread rule: as its session.
#pragma once

#include <string>
#include <vector>

#include "server/io/sql_records.h"
#include "server/jobs/task_rules.h"

namespace pytoon::io {

// A task whose worker is gone.
struct Orphan {
  std::int64_t task_id = 0;
  jobs::Reaped task;
  bool alone = false;  // with its worker
};

// Of those orphans that were alone, the one that saw most, these deaths included.
jobs::DeathsAlone deaths_alone(SqlSession& session, const std::vector<Orphan>& orphans);
// Notes them, found at one time, which counted so many crashes of the job.
void add_deaths(SqlSession& session, const std::string& job_id, const std::vector<Orphan>& orphans,
                int crashes);
// The job's crashes are forgotten: none is left to take back.
void forget_crashes(SqlSession& session, const std::string& job_id);
// The worker lives.
void withdraw_deaths(SqlSession& session, const std::string& worker_id);

}  // namespace pytoon::io
