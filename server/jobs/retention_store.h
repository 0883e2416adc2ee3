// What the record knows about things that nobody needs any more.
//
// Thread rule and errors of the machine: as in job_store.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace pytoon::jobs {

class RetentionStore {
 public:
  virtual ~RetentionStore() = default;

  // Those of the storage keys of segments, footage and audio that no row names.
  virtual Result<std::vector<std::string>> unreferenced(const std::vector<std::string>& keys) = 0;
  // Forgets events delivered or given up longer ago than this: they can't be sent again after.
  // Gives their number.
  virtual Result<std::int64_t> purge_events(std::chrono::hours age) = 0;
  // Forgets what was ordered from paid engines longer ago than this, unless its job is still on its
  // way, and what it added up to. Gives the number of orders.
  virtual Result<std::int64_t> purge_purchases(std::chrono::hours age) = 0;
};

}  // namespace pytoon::jobs
