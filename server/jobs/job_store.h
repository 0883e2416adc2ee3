// The record of jobs: what is committed here is true, everything else is a hint. This is the half
// that the service and operators use; task_store.h is the workers' half, outbox.h what is told to
// the outside, worker_registry.h who is there. One database implements all four.
//
// Thread rule: any thread. Calls block on the database for milliseconds, at worst for its time
// limits. Errors of the machine: kUnavailable (locked, away; also when a commit's answer was lost,
// so that it may or may not have happened), kStorageFull, kIo.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/media/media_info.h"
#include "server/jobs/job.h"
#include "server/jobs/service.h"

namespace pytoon::jobs {

struct NewJob {
  Job job;  // QUEUED
  std::vector<Segment> segments;
  std::string idempotency_key;  // "" is none; its scope is the tenant
  std::string body_sha256;
  int weight = 1;  // of the tenant's share of the work, from now on
};

struct QueueLength {
  std::int64_t all = 0;
  std::int64_t of_tenant = 0;
};

// How many jobs may wait; more are refused with kRateLimited. A long queue is not counted for each
// job (io/queue_view_cache.h): what comes within the same moment may pass a limit.
struct QueueLimits {
  std::int64_t all = 10'000;
  std::int64_t of_tenant = 1'000;
};

// What an idempotency key was used for.
struct IdempotencyRecord {
  std::string body_sha256;
  Submitted submitted;
};

// An uploaded file, as its tenant knows it.
struct AssetRecord {
  std::string tenant;
  std::string key;          // storage key, unique
  std::string client_name;  // as the client called it: text, never a path
  std::string category;
  std::int64_t size = 0;
  std::string sha256;
  media::MediaInfo media;
};

// How much waits and how fast it goes: what an honest ETA is made of.
struct Backlog {
  std::int64_t queued_jobs = 0;
  std::int64_t open_segments = 0;    // of live jobs, not yet DONE
  double oldest_queued_seconds = 0;  // age of the longest waiting job
  double seconds_per_segment = 0;    // mean of those finished lately; 0 when unknown
  int threads = 0;                   // of all live workers
  int gpu_threads = 0;               // of those that compose on a card
};

class JobStore {
 public:
  virtual ~JobStore() = default;

  // Asking. kNotFound for an unknown id; tenants are the caller's business.
  virtual Result<Job> job(const std::string& id) = 0;
  virtual Result<std::vector<Segment>> segments(const std::string& job_id) = 0;
  // Of those that are there.
  virtual Result<std::map<std::string, std::int64_t>> versions(
      const std::vector<std::string>& ids) = 0;
  // kInvalid for a cursor that no page ended with. No tenant: everybody's.
  virtual Result<JobPage> list(const std::optional<std::string>& tenant,
                               const ListQuery& query) = 0;
  virtual Result<QueueLength> queued(const std::string& tenant) = 0;
  virtual Result<TenantUse> use_of(const std::string& tenant) = 0;
  virtual Result<Backlog> backlog() = 0;
  // Of at most so many tenants, the longest queues first.
  virtual Result<std::vector<TenantQueue>> queue_by_tenant(int limit) = 0;
  virtual Result<std::optional<IdempotencyRecord>> record(const std::string& tenant,
                                                          const std::string& idempotency_key) = 0;
  // No tenant: everybody's.
  virtual Result<AssetRecord> asset(const std::optional<std::string>& tenant,
                                    const std::string& key) = 0;
  // Can it be read, and would it take a write? Writes nothing.
  virtual Status probe() = 0;

  // Taking in. create() commits job, segments, first task and idempotency record together. A key
  // seen before gives its job (replayed) for the same body and kInvalid for another one.
  // kRateLimited when about as many jobs are waiting as may. After kUnavailable the job may be
  // there all the same; with the key a second try tells. kInvalid when an upload that the spec
  // names is gone.
  virtual Result<Submitted> create(const NewJob& job, const QueueLimits& limits) = 0;
  // Before the object itself is put, so that no collector takes it for an orphan. The same key
  // again: replaced. kUnavailable while an object of that key is being deleted.
  virtual Status keep_asset(const AssetRecord& asset) = 0;

  // Operators and clients. kConflict when the job's status does not allow it (transitions.h);
  // workers lose their leases with the same commit. What ends a job tells its webhook.
  virtual Result<Job> cancel(const std::string& id) = 0;
  virtual Result<Job> force_fail(const std::string& id, const std::string& error) = 0;
  // A FAILED job is QUEUED again with a new run. Finished segments stay; of the others footage,
  // engine and error are forgotten, as are the job's fallback and degradation.
  virtual Result<Job> retry(const std::string& id) = 0;
};

}  // namespace pytoon::jobs
