// Where API keys (api_key.h) are kept.
//
// Thread rule: any thread; blocks on the database for milliseconds. Errors of the machine: as in
// job_store.h.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "server/jobs/api_key.h"

namespace pytoon::jobs {

class KeyStore {
 public:
  virtual ~KeyStore() = default;
  // All that were ever made, newest first.
  virtual Result<std::vector<ApiKey>> api_keys() = 0;
  // kConflict: there is one of that id.
  virtual Status add_key(const ApiKey& key) = 0;
  // The successor is there, and the key named ends at `until` if it would not end before.
  // kNotFound, kConflict when it was revoked.
  virtual Status replace_key(const std::string& id, const ApiKey& successor, WallTime until) = 0;
  // For ever, from `at` on; one that was revoked before stays as it is. kNotFound.
  virtual Result<ApiKey> revoke_key(const std::string& id, WallTime at) = 0;
  // When each was last used; earlier times than those known change nothing.
  virtual Status keys_used(const std::vector<std::pair<std::string, WallTime>>& uses) = 0;
};

}  // namespace pytoon::jobs
