// Removes what nobody needs any more, a little at a time:
//   - objects under segments/ that no row names and that are older than a day: losers of races,
//     leftovers of runs that were begun anew;
//   - all files of jobs that ended longer ago than the retention, if there is one; the record of
//     the job stays;
//   - events of the outbox that were told, or given up, a month ago;
//   - what was ordered from paid engines a month ago.
// Files of jobs that the record does not know (it was restored from an older backup) are counted in
// the log and left alone.
//
// Thread rule: one thread. step() blocks on storage and database, for as long as a batch takes.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "server/jobs/job_store.h"
#include "server/jobs/object_store.h"
#include "server/jobs/retention_store.h"

namespace pytoon::jobs {

struct SweeperOptions {
  std::chrono::hours unnamed_age{24};
  std::chrono::hours retention{0};  // 0: for ever
  std::chrono::hours event_age{24 * 30};
  std::chrono::hours purchase_age{24 * 30};
  std::chrono::hours pause{6};  // between two rounds
};

class GarbageCollector {
 public:
  // All references must outlive it.
  GarbageCollector(JobStore& store, RetentionStore& retention, ObjectStore& storage,
                   const Clock& clock, Log& log, SweeperOptions options)
      : store_(store),
        retention_(retention),
        storage_(storage),
        clock_(clock),
        log_(log),
        options_(options) {}

  // One batch of a round, or the beginning of one. False: there is nothing to do until the pause is
  // over.
  bool step();

 private:
  struct Round {
    std::vector<std::string> segments;  // keys still to be looked up
    std::vector<std::string> jobs;      // ids with files that are old enough
    std::int64_t segments_removed = 0;
    std::int64_t jobs_expired = 0;
    std::int64_t jobs_unknown = 0;
    std::int64_t events_forgotten = 0;
    std::int64_t purchases_forgotten = 0;
  };

  bool begin();
  void sweep_segments();
  void expire_job(const std::string& id);
  void remove_files_below(const std::string& folder);
  bool remove(const std::string& key);
  void finish();

  JobStore& store_;
  RetentionStore& retention_;
  ObjectStore& storage_;
  const Clock& clock_;
  Log& log_;
  const SweeperOptions options_;
  Round round_;
  bool under_way_ = false;
  SteadyTime next_at_{};
};

}  // namespace pytoon::jobs
