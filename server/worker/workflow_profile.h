// A workflow's resources as its file tells them, in the admission controller's words. Pure.
#pragma once

#include <string>

#include "engines/prompt_admission.h"
#include "server/jobs/admission/profile.h"

namespace pytoon::worker {

inline jobs::admission::Profile profile_of(const std::string& workflow,
                                           const engines::WorkflowPrior& told) {
  jobs::admission::Profile profile;
  profile.workflow = workflow;
  profile.model = told.model;
  profile.weights = told.weights_bytes;
  profile.prior_full = told.working_bytes;
  profile.prior_tiled = told.tiled_bytes;
  profile.load = told.load;
  profile.run = told.run;
  return profile;
}

}  // namespace pytoon::worker
