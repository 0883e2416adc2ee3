// The record of jobs: what is committed here is true, everything else is a hint.
//
// A worker holds a job by a Lease. Its epoch is the fencing number: unique over all leases of the
// store and growing, so that objects can be named after it. Every write of a worker carries its
// lease and is refused with kConflict when the job has another epoch by now or has ended (a human's
// SQL UPDATE counts): the worker then stops. Time of leases is the store's own clock.
//
// Thread rule: any thread. Calls block on the database for milliseconds, at worst for its busy
// timeout. Errors of the machine: kUnavailable (locked, away), kStorageFull, kIo.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "server/jobs/job.h"
#include "server/jobs/service.h"

namespace pytoon::jobs {

struct Lease {
  std::string job_id;
  std::string holder;
  std::int64_t epoch = 0;
};

struct Claim {
  Job job;
  std::vector<Segment> segments;
  Lease lease;
};

struct NewJob {
  Job job;  // QUEUED
  std::vector<Segment> segments;
  std::string idempotency_key;  // "" is none; its scope is the tenant
  std::string body_sha256;
};

// What an idempotency key was used for.
struct Receipt {
  std::string body_sha256;
  Submitted submitted;
};

// An uploaded file, as its tenant knows it.
struct AssetRecord {
  std::string tenant;
  std::string key;          // storage key, unique
  std::string client_name;  // as the client called it: text, never a path
  std::string category;
  std::string format;  // "png", "jpeg", "webp"; of clips "mp4", "mov"; of sound its own
  std::int64_t size = 0;
  std::string sha256;
  int width = 0;  // px, upright; 0 for sound
  int height = 0;
  bool has_alpha = false;
  double duration_seconds = 0;  // of clips and sound
  int channels = 0;             // of sound
  int sample_rate = 0;          // Hz, of sound
};

enum class Ending {
  kHandedBack,  // nothing went wrong: a drain, a stop
  kCrashed,     // counts as an attempt
};

class JobStore {
 public:
  virtual ~JobStore() = default;

  // Asking. kNotFound for an unknown id; tenants are the caller's business.
  virtual Result<Job> job(const std::string& id) = 0;
  virtual Result<std::vector<Segment>> segments(const std::string& job_id) = 0;
  // kInvalid for a cursor that no page ended with. No tenant: everybody's.
  virtual Result<JobPage> list(const std::optional<std::string>& tenant,
                               const ListQuery& query) = 0;
  virtual Result<std::int64_t> queued() = 0;
  virtual Result<std::optional<Receipt>> receipt(const std::string& tenant,
                                                 const std::string& idempotency_key) = 0;
  virtual Result<AssetRecord> asset(const std::string& tenant, const std::string& key) = 0;
  // Can it be read and written?
  virtual Status probe() = 0;

  // Taking in. create() commits job, segments and receipt together. A key seen before gives its
  // job (replayed) for the same body and kInvalid for another one. kRateLimited when `queued_max`
  // jobs are waiting.
  virtual Result<Submitted> create(const NewJob& job, std::int64_t queued_max) = 0;
  virtual Status keep_asset(const AssetRecord& asset) = 0;  // the same key again: replaced

  // Leases. lease_next gives the live job with the highest priority, the oldest of those, that
  // nobody holds. A job whose holder died (the lease ran out) counts an attempt and a crash.
  virtual Result<std::optional<Claim>> lease_next(const std::string& holder,
                                                  std::chrono::milliseconds duration) = 0;
  virtual Status renew(const Lease& lease, std::chrono::milliseconds duration) = 0;
  virtual Status check(const Lease& lease) = 0;  // only reads
  // The job may be leased again after `delay`.
  virtual Status release(const Lease& lease, Ending ending, std::chrono::milliseconds delay) = 0;
  // For a store owned by one process, at its start: whoever else holds a lease is dead.
  virtual Status expire_leases_except(const std::string& holder) = 0;

  // Writes of a worker.
  struct Move {
    JobStatus to = JobStatus::kFailed;
    std::string error;  // with kFailed
  };
  // Goes by transitions.h. DONE sets progress to 100.
  virtual Status move(const Lease& lease, const Move& move) = 0;
  // A finished segment ends a row of crashes.
  virtual Status put_segment(const Lease& lease, const Segment& segment) = 0;
  virtual Status put_progress(const Lease& lease, int pct) = 0;  // never goes down
  virtual Status note_fallback(const Lease& lease, const std::string& reason) = 0;  // first stays
};

}  // namespace pytoon::jobs
