// Which status may follow which. The only place that says so: stores ask before they write, inside
// the transaction of the write.
//
//   QUEUED -> PLANNING -> RENDERING_SEGMENTS -> ASSEMBLING -> DONE, each step to FAILED or
//   CANCELLED FAILED -> QUEUED is a retry, which starts a new run.
#pragma once

#include "base/result.h"
#include "server/jobs/job.h"

namespace pytoon::jobs {

bool may_follow(JobStatus from, JobStatus to);
// kConflict, naming both, when it may not.
Status check_transition(JobStatus from, JobStatus to);

}  // namespace pytoon::jobs
