// The part of JobService that changes jobs which are there already, and the fleet.
#include <nlohmann/json.hpp>

#include "base/web_address.h"
#include "server/jobs/job_service.h"
#include "server/jobs/job_trace.h"
#include "server/jobs/store_rules.h"

namespace pytoon::jobs {
namespace {

constexpr std::chrono::seconds kSeenLately{60};
constexpr int kDeadLettersCounted = 1000;
constexpr std::size_t kDeadLettersShown = 20;
constexpr int kTenantsShown = 100;
constexpr std::size_t kErrorBytesMax = 1000;

Status require_change(const Caller& caller) {
  if (caller.submits()) return ok_status();
  return failure(FailureKind::kForbidden, "this key may not change jobs");
}

Status require_admin(const Caller& caller) {
  if (caller.admin) return ok_status();
  return failure(FailureKind::kForbidden, "this needs a key with the scope admin");
}

// The job and who changed it, for a line of the log.
nlohmann::ordered_json about(const Job& job, const Caller& caller) {
  return {{"job_id", job.id}, {"trace_id", trace_of(job).trace_id}, {"by", caller.tenant}};
}

}  // namespace

// Names are judged when they are connected to; here is only said what is plain from the text.
Status JobService::check_webhook(const std::string& url) const {
  if (url.empty() || limits_.webhooks == Webhooks::kAny) return ok_status();
  if (limits_.webhooks == Webhooks::kNone) {
    return invalid_field("/webhook_url",
                         "webhooks are off here: the operator has not set WEBHOOK_SECRET");
  }
  const Result<WebAddress> address = parse_web_address(url);
  if (!address) return invalid_field("/webhook_url", address.failure().detail);
  const std::optional<IpAddress> ip = read_ip(address->host);
  if (names_private_network(*address) || (ip && !is_public(*ip))) {
    return invalid_field("/webhook_url", "must be a public address");
  }
  return ok_status();
}

// What a worker published in the moment before it noticed. One that publishes later takes its files
// back itself.
void JobService::remove_files(const Job& job) {
  for (const char* file : kOutputFiles) {
    const Status removed = parts_.storage.remove(job_file_key(job.id, file));
    if (removed) continue;
    parts_.log.warning("file_not_removed", {{"job_id", job.id},
                                            {"trace_id", trace_of(job).trace_id},
                                            {"file", file},
                                            {"reason", removed.failure().detail}});
  }
}

void JobService::tell_job_span(const Job& job, const std::string& error) {
  if (parts_.spans == nullptr) return;
  parts_.spans->ended(job_span(job, parts_.clock.now(), error));
}

Result<Job> JobService::cancel(const Caller& caller, const std::string& id) {
  if (Status allowed = require_change(caller); !allowed) return allowed.failure();
  if (const Result<Job> mine = find(caller, id); !mine) return mine;
  Result<Job> job = parts_.store.cancel(id);
  if (!job) return job;
  remove_files(*job);
  parts_.metrics.job_cancelled(job->spec.archetype);
  parts_.log.info("job_cancelled", about(*job, caller));
  tell_job_span(*job, "cancelled");
  return job;
}

Result<Job> JobService::retry(const Caller& caller, const std::string& id) {
  if (Status allowed = require_change(caller); !allowed) return allowed.failure();
  if (const Result<Job> mine = find(caller, id); !mine) return mine;
  Result<Job> job = parts_.store.retry(id);
  if (!job) return job;
  parts_.metrics.job_retried(job->spec.archetype);
  nlohmann::ordered_json fields = about(*job, caller);
  fields["run"] = job->run;
  parts_.log.info("job_retried", fields);
  parts_.notifier.notify();
  job->eta_seconds = eta_.eta_seconds(*job);
  return job;
}

Result<Job> JobService::redeliver(const Caller& caller, const std::string& id) {
  if (Status allowed = require_change(caller); !allowed) return allowed.failure();
  Result<Job> job = find(caller, id);
  if (!job) return job;
  const Status queued = parts_.outbox.redeliver(id);
  if (!queued && queued.failure().kind == FailureKind::kNotFound) {
    return failure(FailureKind::kConflict,
                   job->webhook_url.empty()
                       ? "the job has no webhook_url"
                       : "the job has not ended yet: its webhook was never sent");
  }
  if (!queued) return queued.failure();
  parts_.log.info("webhook_redelivered", about(*job, caller));
  return job;
}

Status JobService::delete_job(const Caller& caller, const std::string& id) {
  if (Status allowed = require_change(caller); !allowed) return allowed;
  const Result<Job> mine = find(caller, id);
  if (!mine) return mine.failure();
  if (Status gone = parts_.eraser.delete_job(id); !gone) return gone;
  parts_.log.info("job_deleted", about(*mine, caller));
  return ok_status();
}

Status JobService::delete_asset(const Caller& caller, const std::string& key) {
  if (Status allowed = require_change(caller); !allowed) return allowed;
  if (Status gone = parts_.eraser.delete_asset(caller.seen_tenant(), key); !gone) return gone;
  parts_.log.info("asset_deleted", {{"key", key}, {"by", caller.tenant}});
  return ok_status();
}

Result<Purged> JobService::purge_tenant(const Caller& caller, const std::string& tenant) {
  if (Status allowed = require_admin(caller); !allowed) return allowed.failure();
  if (tenant.empty()) return invalid_field("/tenant", "must name a tenant");
  Result<Purged> purged = parts_.eraser.purge_tenant(tenant);
  if (!purged) return purged;
  const nlohmann::ordered_json deleted(purged->deleted);
  parts_.log.warning("tenant_purged", {{"tenant", tenant},
                                       {"by", caller.tenant},
                                       {"deleted", deleted},
                                       {"complete", purged->complete()}});
  return purged;
}

Result<Job> JobService::force_fail(const Caller& caller, const std::string& id,
                                   const std::string& error) {
  if (Status allowed = require_admin(caller); !allowed) return allowed.failure();
  if (error.empty() || error.size() > kErrorBytesMax) {
    return invalid_field("/error", "must have 1 to 1000 bytes");
  }
  Result<Job> job = parts_.store.force_fail(id, error);
  if (!job) return job;
  remove_files(*job);
  parts_.metrics.job_failed(job->spec.archetype, "forced");
  nlohmann::ordered_json fields = about(*job, caller);
  fields["error"] = error;
  parts_.log.warning("job_force_failed", fields);
  tell_job_span(*job, error);
  return job;
}

Result<Capacity> JobService::capacity(const Caller& caller) {
  if (Status allowed = require_admin(caller); !allowed) return allowed.failure();
  const Result<Backlog> backlog = parts_.store.backlog();
  if (!backlog) return backlog.failure();
  Result<std::vector<TenantQueue>> tenants = parts_.store.queue_by_tenant(kTenantsShown);
  if (!tenants) return tenants.failure();
  const Result<bool> draining = parts_.fleet.draining();
  if (!draining) return draining.failure();
  Result<std::vector<WorkerInfo>> workers = parts_.fleet.workers(kSeenLately);
  if (!workers) return workers.failure();
  Result<std::vector<DeadLetter>> letters = parts_.outbox.dead_letters(kDeadLettersCounted);
  if (!letters) return letters.failure();
  Result<std::vector<admission::GpuState>> gpus = parts_.promises.states();
  if (!gpus) return gpus.failure();
  const Result<WallTime> gpus_at = parts_.promises.now();
  if (!gpus_at) return gpus_at.failure();

  Capacity capacity;
  capacity.draining = *draining;
  capacity.queued_jobs = backlog->queued_jobs;
  capacity.open_segments = backlog->open_segments;
  capacity.oldest_queued_seconds = backlog->oldest_queued_seconds;
  capacity.tenants = std::move(tenants).value();
  capacity.seconds_per_segment = backlog->seconds_per_segment;
  capacity.threads = backlog->threads;
  capacity.workers = std::move(workers).value();
  capacity.dead_letters = static_cast<int>(letters->size());
  if (letters->size() > kDeadLettersShown) letters->resize(kDeadLettersShown);
  capacity.latest = std::move(letters).value();
  capacity.gpus = std::move(gpus).value();
  capacity.gpus_at = *gpus_at;
  return capacity;
}

Status JobService::set_draining(const Caller& caller, bool draining) {
  if (Status allowed = require_admin(caller); !allowed) return allowed;
  if (Status set = parts_.fleet.set_draining(draining); !set) return set;
  parts_.log.warning(draining ? "fleet_draining" : "fleet_resumed", {{"by", caller.tenant}});
  return ok_status();
}

Result<std::vector<ApiKey>> JobService::api_keys(const Caller& caller) {
  if (Status allowed = require_admin(caller); !allowed) return allowed.failure();
  return keys_.list();
}

Result<NewKey> JobService::create_key(const Caller& caller, const KeyOrder& order) {
  if (Status allowed = require_admin(caller); !allowed) return allowed.failure();
  if (!limits_.plans.has(order.plan)) {
    return invalid_field("/plan", "there is no such plan in config/plans.yaml");
  }
  return keys_.create(order, caller.tenant);
}

Result<NewKey> JobService::rotate_key(const Caller& caller, const std::string& id,
                                      std::chrono::seconds grace) {
  if (Status allowed = require_admin(caller); !allowed) return allowed.failure();
  return keys_.rotate(id, grace, caller.tenant);
}

Result<ApiKey> JobService::revoke_key(const Caller& caller, const std::string& id) {
  if (Status allowed = require_admin(caller); !allowed) return allowed.failure();
  return keys_.revoke(id, caller.tenant);
}

}  // namespace pytoon::jobs
