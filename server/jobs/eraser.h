// Carries out deletions: takes objects out of storage whose keys are in the queue of the retention
// store, then their entries out of the queue. Also the deletions that callers ask for: a job, an
// upload, a whole tenant.
//
// What can't be removed now stays in the queue: a collector carries it out later.
// Thread rule: any thread. Blocks on database and storage for as long as the objects take.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "server/jobs/job_store.h"
#include "server/jobs/object_store.h"
#include "server/jobs/purged.h"
#include "server/jobs/retention_store.h"

namespace pytoon::jobs {

// Counts what was deleted, by kind. Any thread; nanoseconds.
class GcMetrics {
 public:
  virtual ~GcMetrics() = default;
  virtual void gc_deleted(std::string_view kind, std::int64_t count) = 0;
};

class Eraser {
 public:
  // All must outlive it.
  Eraser(JobStore& store, RetentionStore& retention, ObjectStore& storage, GcMetrics& metrics,
         Log& log)
      : store_(store), retention_(retention), storage_(storage), metrics_(metrics), log_(log) {}

  // kNotFound; kConflict while it is live. Its record, all that it wrote, and what was known of its
  // idempotency key and webhook.
  Status delete_job(const std::string& id);
  // kNotFound; kConflict while a live job needs it. No tenant: whoever's.
  Status delete_asset(const std::optional<std::string>& tenant, const std::string& key);
  // A bounded part of erasing all that a tenant stored: call it until it is complete. Live jobs are
  // cancelled first. Then it is looked up what is left, in the database and in storage.
  Result<Purged> purge_tenant(const std::string& tenant);
  // Carries out at most `limit` deletions that are due. How many entries there were.
  Result<std::int64_t> drain(int limit, DeletedCounts& deleted);
  // Likewise for entries that the caller has leased.
  void carry_out(const std::vector<std::string>& entries, DeletedCounts& deleted);

 private:
  bool remove(const std::string& key, DeletedCounts& deleted);
  bool remove_all(const std::string& prefix, DeletedCounts& deleted);
  Status purge_job(const Job& job, Purged& purged);
  // Uploads without a row, too: the folder is the tenant's alone.
  Status purge_folder(const std::string& tenant, Purged& purged);

  JobStore& store_;
  RetentionStore& retention_;
  ObjectStore& storage_;
  GcMetrics& metrics_;
  Log& log_;
};

}  // namespace pytoon::jobs
