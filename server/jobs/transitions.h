// Which status may follow which. The only place that says so: stores ask before they write, inside
// the transaction of the write.
//
//   QUEUED -> PLANNING -> RENDERING_SEGMENTS -> ASSEMBLING -> DONE
//   each of them but DONE -> FAILED or CANCELLED
//   FAILED -> QUEUED: a retry, which starts a new run
//
// Within a run statuses only go forward. A run that starts because segments must be made anew may
// begin at an earlier one.
#pragma once

#include "base/result.h"
#include "server/jobs/job.h"

namespace pytoon::jobs {

bool may_follow(JobStatus from, JobStatus to);
// kConflict, naming both, when it may not.
Status check_transition(JobStatus from, JobStatus to);

}  // namespace pytoon::jobs
