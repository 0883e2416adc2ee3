// Retention: how long what is stored is kept. Plain values, read by server/app/config from
// config/defaults.yaml and RETENTION_*; the garbage collector acts on them.
#pragma once

#include <chrono>

namespace pytoon::jobs {

// Zero is for ever.
struct Retention {
  // Files of jobs, since they ended in that status. The record of the job outlives them.
  std::chrono::hours done_jobs{0};
  std::chrono::hours failed_jobs{24 * 14};
  std::chrono::hours cancelled_jobs{24 * 3};
  // Rows of jobs whose files are gone, since they ended.
  std::chrono::hours job_records{24 * 365};
  std::chrono::hours unused_assets{24 * 90};  // uploads, since a job last needed them
  std::chrono::hours idempotency_records{24 * 7};
  std::chrono::hours events{24 * 30};  // delivered or given up
  std::chrono::hours dead_letters{24 * 90};
  std::chrono::hours purchases{24 * 30};
  // Objects that nothing refers to, since they were put: longer than any commit can be under way.
  // Below zero, all are old: for a simulation that wants no grace.
  std::chrono::hours orphans{24};
};

}  // namespace pytoon::jobs
