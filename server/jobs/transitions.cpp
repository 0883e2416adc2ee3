#include "server/jobs/transitions.h"

#include "base/check.h"

namespace pytoon::jobs {

bool may_follow(JobStatus from, JobStatus to) {
  const bool ends_early = to == JobStatus::kFailed || to == JobStatus::kCancelled;
  switch (from) {
    case JobStatus::kQueued:
      return to == JobStatus::kPlanning || ends_early;
    case JobStatus::kPlanning:
      return to == JobStatus::kRenderingSegments || ends_early;
    case JobStatus::kRenderingSegments:
      return to == JobStatus::kAssembling || ends_early;
    case JobStatus::kAssembling:
      return to == JobStatus::kDone || ends_early;
    case JobStatus::kFailed:
      return to == JobStatus::kQueued;
    case JobStatus::kDone:
    case JobStatus::kCancelled:
      return false;
  }
  CHECK(false, "a JobStatus has no row");
}

Status check_transition(JobStatus from, JobStatus to) {
  if (may_follow(from, to)) return ok_status();
  return failure(FailureKind::kConflict, "a job that is " + std::string(name_of(from)) +
                                             " can't become " + std::string(name_of(to)));
}

}  // namespace pytoon::jobs
