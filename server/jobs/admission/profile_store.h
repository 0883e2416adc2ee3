// Where the learned profiles of workflows are kept, so that all workers of a fleet learn together.
//
// Thread rule: any thread. Blocks for a round trip. Errors: kUnavailable, the store is away.
#pragma once

#include <string>

#include "base/result.h"
#include "server/jobs/admission/profile.h"

namespace pytoon::jobs::admission {

class ProfileStore {
 public:
  virtual ~ProfileStore() = default;

  // What is known of prior.workflow. The prior itself where nothing was learned yet, or where the
  // workflow's file says something else by now: then its runs tell nothing of it any more.
  virtual Result<Profile> profile(const Profile& prior) = 0;
  // One more run; gives the new profile. Runs that end at once are learned from one after another.
  virtual Result<Profile> learn(const Profile& prior, const Observation& observation,
                                const ProfileOptions& options) = 0;
};

}  // namespace pytoon::jobs::admission
