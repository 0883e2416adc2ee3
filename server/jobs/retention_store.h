// The reference side of garbage collection: which stored objects something still refers to, which
// references have outlived their retention, and the queue of deletions that are decided.
//
// Bytes are removed in two steps, so that a crash between them leaves nothing behind and nothing
// dangling: one commit drops the references and puts the keys into the queue; then whoever leases
// an entry removes the object and takes the entry out. While a key is in the queue nothing new can
// refer to it (JobStore::keep_asset() refuses with kUnavailable), so a deletion that is carried out
// late never hits a newer object of the same key.
//
// Ages are by the database's clock. Every call is bounded by its `limit` and safe beside workers,
// servers and other collectors. Thread rule and errors of the machine: as in job_store.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/jobs/job.h"
#include "server/jobs/purged.h"

namespace pytoon::jobs {

// Rows that only age removes.
enum class RowKind {
  kJob,                // ended, its files removed; its idempotency record and events go with it
  kIdempotencyRecord,  // its key may be used for another job then
  kEvent,              // delivered or given up: it can't be sent again after
  kDeadLetter,
  kPurchase,  // what was ordered from paid engines for jobs that ended, and what it added up to
};

std::string_view name_of(RowKind kind);  // "idempotency_record": the label of its metric

class RetentionStore {
 public:
  virtual ~RetentionStore() = default;

  // True for one caller in each `pause`, whichever process asks.
  virtual Result<bool> begin_gc_pass(std::chrono::milliseconds pause) = 0;

  // Of these keys, puts those into the queue that nothing refers to, and that no task under way may
  // be about to commit (the fencing epoch in their name is of a lease that is held). Gives them.
  // Keys of a kind that we do not write are never among them.
  virtual Result<std::vector<std::string>> condemn(const std::vector<std::string>& keys) = 0;
  // Leases entries that are due; those not deleted() in time are given out again.
  virtual Result<std::vector<std::string>> take_deletions(int limit,
                                                          std::chrono::milliseconds lease) = 0;
  virtual Status deleted(const std::vector<std::string>& keys) = 0;

  // Gives up the files of jobs that ended in this status longer ago than `age`; their rows stay,
  // and a retry draws all segments anew. How many jobs.
  virtual Result<std::int64_t> expire_jobs(JobStatus status, std::chrono::hours age, int limit) = 0;
  // Gives up uploads last used longer ago than `age` that no job with files refers to.
  virtual Result<std::int64_t> expire_assets(std::chrono::hours age, int limit) = 0;
  virtual Result<std::int64_t> purge_rows(RowKind kind, std::chrono::hours age, int limit) = 0;

  // Asked for by a caller. Both give the queue entries that this caller has now leased: keys, and
  // beginnings of keys that end with '/' or '.'. kNotFound; kConflict while a live job needs it.
  virtual Result<std::vector<std::string>> delete_job(const std::string& id) = 0;
  // No tenant: whoever's.
  virtual Result<std::vector<std::string>> delete_asset(const std::optional<std::string>& tenant,
                                                        const std::string& key) = 0;
  virtual Result<std::vector<std::string>> assets_of(const std::string& tenant, int limit) = 0;
  // Forgets what the job's remote engines cost: for erasing a tenant. Of a job that is deleted.
  virtual Status purge_spend(const std::string& job_id) = 0;
  virtual Result<TenantRows> rows_of(const std::string& tenant) = 0;
};

}  // namespace pytoon::jobs
