#include "server/jobs/job_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"
#include "server/jobs/job_trace.h"
#include "server/jobs/store_rules.h"

namespace pytoon::jobs {
namespace {

Status require_submit(const Caller& caller) {
  if (caller.submits()) return ok_status();
  return failure(FailureKind::kForbidden, "this key may not submit");
}

Status require_read(const Caller& caller) {
  if (caller.reads()) return ok_status();
  return failure(FailureKind::kForbidden, "this key may not read");
}

// Outsiders are told of a full storage; any other trouble with it is ours and passes.
Status usable(ObjectStore& storage) {
  const Status writable = storage.writable();
  if (writable || writable.failure().kind == FailureKind::kStorageFull) return writable;
  return failure(FailureKind::kUnavailable, writable.failure().detail);
}

// Without captions the hook is the prompt: that is the field a client would mend.
Failure blame_prompt(Failure fault) {
  for (FieldFault& field : fault.faults) {
    if (field.pointer == "/captions/hook") field.pointer = "/prompt";
  }
  return fault;
}

std::uint32_t seed_from(const std::string& uuid) {
  return static_cast<std::uint32_t>(std::stoul(uuid.substr(0, 8), nullptr, 16));
}

}  // namespace

nlohmann::ordered_json JobService::presets() const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& entry : parts_.catalogue.presets) list.push_back(to_json(entry.second));
  return {{"presets", std::move(list)}};
}

QueueLimits JobService::queue_of(const Caller& caller) const {
  return {limits_.queued_jobs, limits_.plans.of(caller.plan).queued_jobs};
}

Status JobService::room_for(const Caller& caller, const Upload& upload) const {
  std::error_code unknown;
  const std::uintmax_t size = std::filesystem::file_size(upload.file, unknown);
  const Result<TenantUse> use = parts_.store.use_of(caller.tenant);
  if (!use) return use.failure();
  const std::int64_t most = limits_.plans.of(caller.plan).storage_bytes;
  const std::int64_t wanted = unknown ? 0 : static_cast<std::int64_t>(size);
  if (use->storage_bytes + wanted <= most) return ok_status();
  return failure(FailureKind::kTooLarge, "the uploads of this tenant take " +
                                             std::to_string(use->storage_bytes) + " of " +
                                             std::to_string(most) + " bytes: delete some first");
}

Result<Usage> JobService::usage(const Caller& caller) {
  const Result<TenantUse> use = parts_.store.use_of(caller.tenant);
  if (!use) return use.failure();
  return Usage{caller.tenant, caller.plan, limits_.plans.of(caller.plan), *use};
}

nlohmann::ordered_json JobService::platforms() const {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const auto& entry : parts_.catalogue.platforms) {
    const spec::SafeZone& covered = entry.second;
    list.push_back({{"id", entry.first},
                    {"top_px", covered.top},
                    {"bottom_px", covered.bottom},
                    {"left_px", covered.left},
                    {"right_px", covered.right}});
  }
  return {{"platforms", std::move(list)}};
}

Result<Asset> JobService::keep_asset(const Caller& caller, const Upload& upload) {
  if (Status allowed = require_submit(caller); !allowed) return allowed.failure();
  if (Status room = usable(parts_.storage); !room) return room.failure();
  if (Status room = room_for(caller, upload); !room) return room.failure();
  Result<Asset> asset = assets_.keep(caller.tenant, upload);
  if (!asset) return asset;
  parts_.log.info("asset_kept", {{"key", asset->key},
                                 {"category", upload.category},
                                 {"client_name", upload.client_name},
                                 {"size", asset->size}});
  return asset;
}

Result<JobService::Planned> JobService::plan(const Caller& caller, const nlohmann::json& body) {
  Result<spec::JobRequest> request = spec::parse_job_request(body);
  if (!request) return request.failure();
  if (Status told = check_webhook(request->webhook_url); !told) return told.failure();
  Result<spec::RenderSpec> spec =
      plan::make_render_spec(*request, parts_.catalogue, seed_from(parts_.ids.next()));
  if (!spec) return spec.failure();
  if (Status there = assets_.check(caller.tenant, *request, spec->target_duration_seconds); !there)
    return there.failure();
  if (Status drawable = parts_.renderer.check(*spec); !drawable) {
    return request->captions ? drawable.failure() : blame_prompt(drawable.failure());
  }

  NewJob order;
  order.job.id = parts_.ids.next();
  order.job.tenant = caller.tenant;
  order.job.priority = request->priority;
  order.job.webhook_url = request->webhook_url;
  if (parse_traceparent(caller.traceparent)) order.job.traceparent = caller.traceparent;
  for (const spec::SegmentSpec& part : spec->segments) {
    Segment segment;
    segment.index = part.index;
    segment.duration_seconds = part.duration_seconds;
    order.segments.push_back(segment);
  }
  order.job.spec = std::move(spec).value();
  return Planned{std::move(*request), std::move(order)};
}

Result<JobService::Planned> JobService::plan_now(const Caller& caller, const nlohmann::json& body) {
  if (parts_.health.draining()) {
    return failure(FailureKind::kUnavailable, "no new jobs are taken: draining. Try again soon");
  }
  Result<Planned> planned = plan(caller, body);
  if (!planned) return planned;
  if (Status room = usable(parts_.storage); !room) return room.failure();
  return planned;
}

Result<JobEstimate> JobService::estimate(const Caller& caller, const nlohmann::json& body) {
  if (Status allowed = require_submit(caller); !allowed) return allowed.failure();
  const Result<Planned> planned = plan_now(caller, body);
  if (!planned) return planned.failure();
  const Result<QueueLength> queued = parts_.store.queued(caller.tenant);
  if (!queued) return queued.failure();
  if (Status room = room_in_queue(*queued, queue_of(caller)); !room) return room.failure();
  return estimator_.estimate(planned->order.job, planned->request);
}

Result<std::string> JobService::preview(const Caller& caller, const nlohmann::json& body,
                                        const PreviewMoments& moments) {
  if (Status allowed = require_submit(caller); !allowed) return allowed.failure();
  const Result<Planned> planned = plan(caller, body);
  if (!planned) return planned.failure();
  const spec::RenderSpec& spec = planned->order.job.spec;
  const int last = spec.target_duration_seconds * spec.output.fps - 1;
  std::vector<int> frames;
  for (int i = 0; i < moments.count; ++i) {
    const double seconds = moments.first_seconds + i * moments.step_seconds;
    frames.push_back(std::min(last, static_cast<int>(seconds * spec.output.fps)));
  }
  return parts_.previewer.strip_jpeg(planned->order, frames);
}

std::chrono::seconds JobService::retry_after() {
  const Result<Backlog> backlog = parts_.store.backlog();
  return jobs::retry_after(backlog ? *backlog : Backlog{});
}

Result<Submitted> JobService::submit(const Caller& caller, const nlohmann::json& body,
                                     const std::string& idempotency_key) {
  if (Status allowed = require_submit(caller); !allowed) return allowed.failure();
  const std::string body_sha256 = sha256_hex(json_text(body));
  if (!idempotency_key.empty()) {
    const auto seen = parts_.store.record(caller.tenant, idempotency_key);
    if (!seen) return seen.failure();
    if (*seen) return replay(**seen, body_sha256);
  }
  Result<Planned> planned = plan_now(caller, body);
  if (!planned) return planned.failure();
  NewJob& order = planned->order;
  order.idempotency_key = idempotency_key;
  order.body_sha256 = body_sha256;
  order.weight = limits_.plans.of(caller.plan).weight;
  Result<Submitted> submitted = parts_.store.create(order, queue_of(caller));
  if (!submitted || submitted->replayed) return submitted;

  const spec::RenderSpec& spec = order.job.spec;
  parts_.metrics.job_created(spec.archetype, spec.preset_id);
  parts_.log.info("job_created", {{"job_id", order.job.id},
                                  {"trace_id", trace_of(order.job).trace_id},
                                  {"tenant", caller.tenant},
                                  {"preset_id", spec.preset_id},
                                  {"archetype", spec::name_of(spec.archetype)},
                                  {"segments", submitted->segments}});
  parts_.notifier.notify();
  return submitted;
}

Result<Job> JobService::job(const Caller& caller, const std::string& id) {
  if (Status allowed = require_read(caller); !allowed) return allowed.failure();
  Result<Job> job = find(caller, id);
  if (job) job->eta_seconds = eta_.eta_seconds(*job);
  return job;
}

Result<Job> JobService::find(const Caller& caller, const std::string& id) {
  Result<Job> job = parts_.store.job(id);
  if (job && !caller.sees(job->tenant)) return no_such_job(id);
  return job;
}

Result<JobPage> JobService::list(const Caller& caller, const ListQuery& query) {
  if (Status allowed = require_read(caller); !allowed) return allowed.failure();
  if (query.limit < 1 || query.limit > 200) {
    return invalid_field("/limit", "must be between 1 and 200");
  }
  return parts_.store.list(caller.seen_tenant(), query);
}

Result<std::vector<Segment>> JobService::segments(const Caller& caller, const std::string& id) {
  if (Status allowed = require_read(caller); !allowed) return allowed.failure();
  const Result<Job> owner = find(caller, id);
  if (!owner) return owner.failure();
  return parts_.store.segments(id);
}

Result<Artifact> JobService::artifact(const Caller& caller, const std::string& id,
                                      const std::string& file, const std::string& content_type) {
  if (Status allowed = require_read(caller); !allowed) return allowed.failure();
  const Result<Job> owner = find(caller, id);
  if (!owner) return owner.failure();
  if (owner->status != JobStatus::kDone) {
    return failure(FailureKind::kConflict, "the job is " + std::string(name_of(owner->status)) +
                                               ": " + file + " is there when it is DONE");
  }
  if (owner->files_removed) {
    return failure(FailureKind::kNotFound, "the files of the job were removed: its time was over");
  }
  const std::string key = output_key(*owner, file);
  Result<std::filesystem::path> path = parts_.storage.local(key);
  if (!path) return path.failure();
  // The key names the run and the finisher that won: no other bytes are ever found under it.
  const std::string etag = "\"" + sha256_hex(key + "/" + std::to_string(owner->run)) + "\"";
  return Artifact{std::move(path).value(), content_type, etag};
}

Result<std::vector<Delivery>> JobService::deliveries(const Caller& caller,
                                                     const DeliveryQuery& query) {
  if (Status allowed = require_read(caller); !allowed) return allowed.failure();
  if (query.job_id.empty() && !caller.admin) {
    return failure(FailureKind::kForbidden, "this needs a key with the scope admin");
  }
  if (!query.job_id.empty()) {
    if (const Result<Job> mine = find(caller, query.job_id); !mine) return mine.failure();
  }
  return parts_.outbox.deliveries(query);
}

Result<Asset> JobService::asset(const Caller& caller, const std::string& key) {
  if (Status allowed = require_read(caller); !allowed) return allowed.failure();
  return assets_.find(caller.seen_tenant(), key);
}

Result<Artifact> JobService::asset_file(const Caller& caller, const std::string& key) {
  if (Status allowed = require_read(caller); !allowed) return allowed.failure();
  return assets_.file(caller.seen_tenant(), key);
}

Result<Artifact> JobService::output(const Caller& caller, const std::string& id) {
  return artifact(caller, id, "output.mp4", "video/mp4");
}

Result<Artifact> JobService::metadata(const Caller& caller, const std::string& id) {
  return artifact(caller, id, "metadata.json", "application/json");
}

Result<Artifact> JobService::thumbnail(const Caller& caller, const std::string& id) {
  return artifact(caller, id, "thumbnail.jpg", "image/jpeg");
}

}  // namespace pytoon::jobs
