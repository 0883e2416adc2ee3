// What the outside can ask of Pytoon: the one door that HTTP (and the command line) goes through.
// It takes and gives plain values; callers decide nothing.
//
// Thread rule: any thread. Calls block on the database for milliseconds, keep_asset() on a decoder.
// Errors are Failures whose kind says the HTTP status; kNotFound also for what is not yours.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/media/media_info.h"
#include "server/jobs/admission/gpu_state.h"
#include "server/jobs/api_key.h"
#include "server/jobs/job.h"
#include "server/jobs/job_estimate.h"
#include "server/jobs/outbox.h"
#include "server/jobs/purged.h"
#include "server/jobs/tenant_plan.h"
#include "server/jobs/worker_registry.h"

namespace pytoon::jobs {

// Who is calling, from the API key. Admin callers see every tenant.
struct Caller {
  std::string tenant;
  bool may_submit = false;
  bool may_read = false;
  bool admin = false;
  std::string traceparent = "";  // of the request, as it came
  std::string plan = "default";  // tenant_plan.h
  std::string key_id;            // of a key that the record keeps; "" for others

  bool submits() const { return may_submit || admin; }
  bool reads() const { return may_read || admin; }
  // Whose jobs and uploads it sees; nullopt: everybody's.
  std::optional<std::string> seen_tenant() const {
    return admin ? std::nullopt : std::optional(tenant);
  }
  bool sees(const std::string& owner) const { return admin || owner == tenant; }
};

struct Submitted {
  std::string job_id;
  int segments = 0;
  bool replayed = false;  // the same Idempotency-Key and body came before
};

struct Asset {
  std::string uri;  // storage://assets/...
  std::string key;
  std::int64_t size = 0;
  std::string sha256;
  media::MediaInfo media;
};

struct Upload {
  std::filesystem::path file;  // spooled bytes; the service copies or moves them
  std::string category;        // image | mask | audio | video
  std::string client_name;     // text only, never a path
};

// Which moments of a video to draw.
struct PreviewMoments {
  double first_seconds = 0;
  double step_seconds = 0;
  int count = 1;
};

struct ListQuery {
  std::optional<JobStatus> status;
  std::string cursor;  // "" is the first page
  int limit = 50;      // 1..200
};

struct JobPage {
  std::vector<Job> jobs;    // newest first
  std::string next_cursor;  // "" when there are no more
};

// A finished file on the local disk, ready to be sent.
struct Artifact {
  std::filesystem::path path;
  std::string content_type;
  std::string etag;  // quoted
};

// What there is to work with, and what waits for it.
struct Capacity {
  bool draining = false;  // the fleet: no new jobs are taken
  std::int64_t queued_jobs = 0;
  std::int64_t open_segments = 0;
  double oldest_queued_seconds = 0;
  std::vector<TenantQueue> tenants;  // the same by tenant, of at most 100, longest queues first
  double seconds_per_segment = 0;    // 0 when unknown
  int threads = 0;                   // of all live workers
  std::vector<WorkerInfo> workers;   // seen lately
  int dead_letters = 0;              // counted up to 1000
  std::vector<DeadLetter> latest;    // of them, newest first
  // Every card that was ever measured, as the ledger knows it at `gpus_at`, its own time.
  std::vector<admission::GpuState> gpus;
  WallTime gpus_at;
};

struct Usage {
  std::string tenant;
  std::string plan;
  TenantPlan limits;
  TenantUse used;
};

class Service {
 public:
  virtual ~Service() = default;

  virtual nlohmann::ordered_json presets() const = 0;    // {"presets":[...]}
  virtual nlohmann::ordered_json platforms() const = 0;  // {"platforms":[...]}
  virtual Result<Asset> keep_asset(const Caller& caller, const Upload& upload) = 0;
  // idempotency_key, of visible ASCII: "" is none. The same key with another body is kInvalid.
  virtual Result<Submitted> submit(const Caller& caller, const nlohmann::json& body,
                                   const std::string& idempotency_key) = 0;
  // What submit() would do with the body, without doing it: stores nothing, refuses what submit()
  // would refuse now, idempotency keys aside.
  virtual Result<JobEstimate> estimate(const Caller& caller, const nlohmann::json& body) = 0;
  // Frames of the video that the body would become, as one JPEG of half its edges, each below the
  // one before it; the last one for a time beyond its end. The same frames as the video's when the
  // body names a seed and nothing is generated. Stores nothing; refuses what submit() would refuse
  // for its fields.
  virtual Result<std::string> preview(const Caller& caller, const nlohmann::json& body,
                                      const PreviewMoments& moments) = 0;
  // How long a caller should stay away whom submit() refused with kRateLimited: by when the queue
  // is expected to have room for more than a few.
  virtual std::chrono::seconds retry_after() = 0;
  virtual Result<Job> job(const Caller& caller, const std::string& id) = 0;
  // Of jobs that somebody was shown: their present versions (job.h), without those that are gone.
  virtual Result<std::map<std::string, std::int64_t>> versions(
      const std::vector<std::string>& ids) = 0;
  virtual Result<JobPage> list(const Caller& caller, const ListQuery& query) = 0;
  virtual Result<std::vector<Segment>> segments(const Caller& caller, const std::string& id) = 0;
  // kConflict before the job is DONE.
  virtual Result<Artifact> output(const Caller& caller, const std::string& id) = 0;
  virtual Result<Artifact> thumbnail(const Caller& caller, const std::string& id) = 0;
  virtual Result<Artifact> metadata(const Caller& caller, const std::string& id) = 0;
  // What became of the webhooks of a job (scope read) or, with no job named, of all (scope admin).
  virtual Result<std::vector<Delivery>> deliveries(const Caller& caller,
                                                   const DeliveryQuery& query) = 0;
  // An upload as it was answered for, and its bytes. Scope read.
  virtual Result<Asset> asset(const Caller& caller, const std::string& key) = 0;
  virtual Result<Artifact> asset_file(const Caller& caller, const std::string& key) = 0;

  // What the caller's tenant may take, by the plan of this key, and what it has taken.
  virtual Result<Usage> usage(const Caller& caller) = 0;

  // Life-cycle, scope submit. Each gives the job as it is afterwards; kConflict, with the reason,
  // when its status does not allow it. A cancelled job's work stops within seconds and shows no
  // file. A retry keeps finished segments.
  virtual Result<Job> cancel(const Caller& caller, const std::string& id) = 0;
  virtual Result<Job> retry(const Caller& caller, const std::string& id) = 0;
  // Sends the webhook of the job's end again, under the same id. kConflict when it has none.
  virtual Result<Job> redeliver(const Caller& caller, const std::string& id) = 0;

  // For ever, with their files, scope submit. kConflict while the job is live; while a live job
  // needs the asset. What can't be removed from storage now goes later: the answer is yes.
  virtual Status delete_job(const Caller& caller, const std::string& id) = 0;
  virtual Status delete_asset(const Caller& caller, const std::string& key) = 0;

  // Operators, scope admin.
  virtual Result<Job> force_fail(const Caller& caller, const std::string& id,
                                 const std::string& error) = 0;
  virtual Result<Capacity> capacity(const Caller& caller) = 0;
  // Of the whole fleet: while draining, submit() is kUnavailable; jobs taken before are finished.
  virtual Status set_draining(const Caller& caller, bool draining) = 0;
  // A bounded part of erasing all that a tenant stored, and a look at what is left: ask again until
  // it is complete. Its live jobs are cancelled.
  virtual Result<Purged> purge_tenant(const Caller& caller, const std::string& tenant) = 0;

  // API keys that the record keeps, scope admin. kNotFound, and kConflict for what was revoked.
  virtual Result<std::vector<ApiKey>> api_keys(const Caller& caller) = 0;
  virtual Result<NewKey> create_key(const Caller& caller, const KeyOrder& order) = 0;
  // Another one with the same rights; the old one goes on for `grace`.
  virtual Result<NewKey> rotate_key(const Caller& caller, const std::string& id,
                                    std::chrono::seconds grace) = 0;
  virtual Result<ApiKey> revoke_key(const Caller& caller, const std::string& id) = 0;

  // Readiness: names of what is missing; `blocking` ones make the service not ready.
  struct Readiness {
    std::vector<std::string> blocking;  // "database", "storage", "draining"
    std::vector<std::string> degraded;  // "redis"
  };
  virtual Readiness readiness() = 0;
};

// The job as GET /api/v1/jobs/{id} shows it, and its segments.
nlohmann::ordered_json to_json(const Job& job);
nlohmann::ordered_json to_json(const std::string& job_id, const std::vector<Segment>& segments);
nlohmann::ordered_json to_json(const Capacity& capacity);
nlohmann::ordered_json to_json(const Purged& purged);
nlohmann::ordered_json to_json(const Usage& usage);

}  // namespace pytoon::jobs
