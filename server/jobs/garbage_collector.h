// The garbage collector of everything that is stored: objects, and rows that outlived their use. A
// pass
//   - gives up the files of jobs, and the uploads, whose retention is over; removes rows likewise;
//   - walks over all stored objects and condemns those that are older than the grace age and that
//     no row refers to: losers of races, leftovers of refused commits, of retries, of jobs whose
//     footage fell to the card;
//   - carries out the deletions that are queued, its own and those that others left;
//   - takes back uploads in parts and staged files of processes that died.
//
// What may stay is decided by the database alone (jobs/retention_store.h), asked again in the
// commit that queues a deletion. The ages of objects are by the storage's clock, those of rows by
// the database's. One process of a fleet makes a pass in each `pause`; more would be harmless.
//
// Thread rule: one thread. step() does a bounded piece (hundreds of objects, tens of jobs) and
// blocks on storage and database for as long as that takes.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "server/jobs/eraser.h"
#include "server/jobs/object_store.h"
#include "server/jobs/retention.h"
#include "server/jobs/retention_store.h"

namespace pytoon::jobs {

struct GcOptions {
  Retention retention;
  std::chrono::hours pause{6};  // between the beginnings of two passes
};

class GarbageCollector {
 public:
  // All references must outlive it.
  GarbageCollector(RetentionStore& retention, ObjectStore& storage, Eraser& eraser,
                   GcMetrics& metrics, const Clock& clock, Log& log, GcOptions options)
      : retention_(retention),
        storage_(storage),
        eraser_(eraser),
        metrics_(metrics),
        clock_(clock),
        log_(log),
        options_(options) {}

  // A piece of a pass, or the beginning of one. False: there is nothing to do for now.
  bool step();

 private:
  // A piece of a pass; true while there is more of the same.
  using Piece = std::function<Result<bool>()>;

  bool begin();
  void plan();
  void plan_rows();
  Result<bool> walk_page(const std::string& prefix);
  Result<bool> drain();
  void note(std::string_view kind, std::int64_t count);
  void finish();

  RetentionStore& retention_;
  ObjectStore& storage_;
  Eraser& eraser_;
  GcMetrics& metrics_;
  const Clock& clock_;
  Log& log_;
  const GcOptions options_;

  std::deque<Piece> pieces_;          // of the pass under way
  std::unique_ptr<ObjectWalk> walk_;  // null between two folders
  WallTime put_before_;               // younger objects are not looked at
  DeletedCounts deleted_;
  std::int64_t objects_seen_ = 0;
  SteadyTime began_at_{};
  bool under_way_ = false;
};

}  // namespace pytoon::jobs
