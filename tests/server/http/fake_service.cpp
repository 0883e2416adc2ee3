#include "fake_service.h"

#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "pipeline/spec/preset.h"
#include "server/jobs/transitions.h"

namespace pytoon::http::testing_support {

jobs::Job sample_job(const std::string& id, const std::string& tenant) {
  jobs::Job job;
  job.id = id;
  job.tenant = tenant;
  job.version = 1;
  job.queue_position = 1;
  job.created_at = job.updated_at = WallTime(std::chrono::seconds(1'800'000'000));
  job.spec.preset_id = "product_hero_clean";
  job.spec.style.caption.font = "Inter";
  for (int i = 0; i < 3; ++i) job.spec.segments.push_back({i, 3, "a prompt"});
  return job;
}

nlohmann::ordered_json FakeService::presets() const {
  spec::Preset preset;
  preset.id = "product_hero_clean";
  preset.name = "Clean";
  preset.caption_style.font = "Inter";
  preset.engines = {"local_compositor"};
  return {{"presets", {spec::to_json(preset)}}};
}

nlohmann::ordered_json FakeService::platforms() const {
  return {{"platforms",
           {{{"id", "reels"},
             {"top_px", 269},
             {"bottom_px", 672},
             {"left_px", 65},
             {"right_px", 65}}}}};
}

Result<jobs::Asset> FakeService::keep_asset(const jobs::Caller&, const jobs::Upload& upload) {
  if (on_upload) on_upload();
  if (upload.category == "audio") return invalid_field("/category", "No audio here.");
  const auto sha256 = sha256_file(upload.file);
  if (!sha256) return sha256.failure();
  ++uploads;
  const std::lock_guard lock(mutex_);
  last_upload_ = {upload.client_name, *sha256};
  jobs::Asset asset;
  asset.uri = "storage://assets/" + *sha256;
  asset.key = "assets/" + *sha256;
  asset.size = static_cast<std::int64_t>(std::filesystem::file_size(upload.file));
  asset.sha256 = *sha256;
  asset.media.size = {4, 3};
  return asset;
}

FakeService::Kept FakeService::last_upload() {
  const std::lock_guard lock(mutex_);
  return last_upload_;
}

Result<jobs::Submitted> FakeService::submit(const jobs::Caller& caller, const nlohmann::json& body,
                                            const std::string& idempotency_key) {
  if (submit_failure) return *submit_failure;
  if (!body.is_object() || !body.contains("preset_id")) {
    return invalid_field("/preset_id", "is needed");
  }
  const std::lock_guard lock(mutex_);
  const auto found = ids_by_key_.find(idempotency_key);
  if (!idempotency_key.empty() && found != ids_by_key_.end()) {
    return jobs::Submitted{found->second, 3, true};
  }
  const std::string id = "job-" + std::to_string(++submissions);
  jobs_[id] = sample_job(id, caller.tenant);
  if (!idempotency_key.empty()) ids_by_key_[idempotency_key] = id;
  return jobs::Submitted{id, 3, false};
}

Result<jobs::JobEstimate> FakeService::estimate(const jobs::Caller& caller,
                                                const nlohmann::json& /*body*/) {
  if (!caller.may_submit && !caller.admin) {
    return failure(FailureKind::kForbidden, "may not submit");
  }
  if (submit_failure) return *submit_failure;
  jobs::JobEstimate estimate;
  estimate.preset_id = "p";
  estimate.archetype = "PRODUCT_HERO";
  estimate.target_duration_seconds = 6;
  estimate.segments = {{0, 3, "local_comfyui", jobs::admission::Lane::kGenerate,
                        jobs::admission::Lane::kRender, 1 << 20, 2 << 20},
                       {1, 3, "local_compositor", {}, {}, {}, {}}};
  estimate.render = {1 << 20, "computed"};
  estimate.generate = {{}, "not known"};
  estimate.wait = {{}, "no worker is live"};
  estimate.run = {2.5, "measured"};
  estimate.warnings = {{"/preset_id", "is odd"}};
  return estimate;
}

Result<std::string> FakeService::preview(const jobs::Caller&, const nlohmann::json& body,
                                         const jobs::PreviewMoments& moments) {
  if (on_preview) on_preview();
  if (!body.contains("preset_id")) return invalid_field("/preset_id", "is required");
  return "\xFF\xD8\xFF " + std::to_string(moments.count) + " frames at " +
         std::to_string(moments.first_seconds) + " step " + std::to_string(moments.step_seconds);
}

Result<std::vector<jobs::Delivery>> FakeService::deliveries(const jobs::Caller& caller,
                                                            const jobs::DeliveryQuery& query) {
  last_delivery_query = query;
  if (!query.job_id.empty()) {
    if (const auto mine = job(caller, query.job_id); !mine) return mine.failure();
  }
  jobs::Delivery tried{"msg_1", "finished", "acme", "https://hooks.example.com/secret?t=1",
                       "job.done"};
  tried.attempts = 2;
  tried.last_error = "the receiver answered 500";
  tried.tried_at = tried.next_try_at = WallTime{};
  jobs::Delivery fresh = tried;
  fresh.state = jobs::DeliveryState::kDelivered;
  fresh.last_error.clear();
  fresh.tried_at = fresh.next_try_at = std::nullopt;
  return std::vector{tried, fresh};
}

Result<jobs::Asset> FakeService::asset(const jobs::Caller& caller, const std::string& key) {
  if (!key.starts_with("assets/" + caller.tenant + "/") && !caller.admin) {
    return failure(FailureKind::kNotFound, "There is no such asset.");
  }
  return jobs::Asset{.uri = "storage://" + key, .key = key};
}

Result<jobs::Artifact> FakeService::asset_file(const jobs::Caller& caller, const std::string& key) {
  if (const auto mine = asset(caller, key); !mine) return mine.failure();
  return asset_artifact;
}

Result<jobs::Job> FakeService::job(const jobs::Caller& caller, const std::string& id) {
  if (on_job) on_job();
  if (away) return failure(FailureKind::kUnavailable, "The database is away.");
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(id);
  if (found == jobs_.end() || (!caller.admin && found->second.tenant != caller.tenant)) {
    return failure(FailureKind::kNotFound, "There is no such job.");
  }
  return found->second;
}

Result<std::map<std::string, std::int64_t>> FakeService::versions(
    const std::vector<std::string>& ids) {
  ++looks;
  if (on_versions) on_versions();
  if (away) return failure(FailureKind::kUnavailable, "The database is away.");
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::int64_t> versions;
  for (const std::string& id : ids) {
    if (const auto found = jobs_.find(id); found != jobs_.end())
      versions[id] = found->second.version;
  }
  return versions;
}

Result<jobs::JobPage> FakeService::list(const jobs::Caller& caller, const jobs::ListQuery& query) {
  const std::lock_guard lock(mutex_);
  jobs::JobPage page;
  for (auto it = jobs_.rbegin(); it != jobs_.rend(); ++it) {
    const jobs::Job& job = it->second;
    if (!caller.admin && job.tenant != caller.tenant) continue;
    if (query.status && job.status != *query.status) continue;
    if (!query.cursor.empty() && job.id >= query.cursor) continue;
    if (page.jobs.size() == static_cast<std::size_t>(query.limit)) {
      page.next_cursor = page.jobs.back().id;
      break;
    }
    page.jobs.push_back(job);
  }
  return page;
}

Result<std::vector<jobs::Segment>> FakeService::segments(const jobs::Caller& caller,
                                                         const std::string& id) {
  const auto found = job(caller, id);
  if (!found) return found.failure();
  std::vector<jobs::Segment> list(2);
  list[0].status = jobs::SegmentStatus::kDone;
  list[0].duration_seconds = 3;
  list[0].engine_used = "local_compositor";
  list[0].artifact_key = "jobs/x/seg_000.mp4";
  list[1].index = 1;
  list[1].duration_seconds = 3;
  return list;
}

Result<jobs::Artifact> FakeService::output(const jobs::Caller& caller, const std::string& id) {
  if (on_output) on_output();
  const auto found = job(caller, id);
  if (!found) return found.failure();
  if (found->status != jobs::JobStatus::kDone) {
    return failure(FailureKind::kConflict, "The job is not DONE.");
  }
  return artifact;
}

Result<jobs::Artifact> FakeService::thumbnail(const jobs::Caller& caller, const std::string& id) {
  auto found = output(caller, id);
  if (found) found->content_type = "image/jpeg";
  return found;
}

Result<jobs::Artifact> FakeService::metadata(const jobs::Caller& caller, const std::string& id) {
  auto found = output(caller, id);
  if (found) found->content_type = "application/json";
  return found;
}

Result<jobs::Job> FakeService::turn(const jobs::Caller& caller, const std::string& id,
                                    jobs::JobStatus to, const std::string& error) {
  auto found = job(caller, id);
  if (!found) return found;
  if (Status may = jobs::check_transition(found->status, to); !may) return may.failure();
  change(id, [&](jobs::Job& changed) {
    changed.status = to;
    changed.error = error;
  });
  return job(caller, id);
}

Result<jobs::Job> FakeService::cancel(const jobs::Caller& caller, const std::string& id) {
  return turn(caller, id, jobs::JobStatus::kCancelled, "");
}

Result<jobs::Job> FakeService::retry(const jobs::Caller& caller, const std::string& id) {
  return turn(caller, id, jobs::JobStatus::kQueued, "");
}

Result<jobs::Job> FakeService::redeliver(const jobs::Caller& caller, const std::string& id) {
  auto found = job(caller, id);
  if (found && !jobs::is_terminal(found->status)) {
    return failure(FailureKind::kConflict, "The job has not ended.");
  }
  return found;
}

Status FakeService::delete_job(const jobs::Caller& caller, const std::string& id) {
  const Result<jobs::Job> mine = job(caller, id);
  if (!mine) return mine.failure();
  if (!is_terminal(mine->status)) return failure(FailureKind::kConflict, "The job is live.");
  remove(id);
  return ok_status();
}

Status FakeService::delete_asset(const jobs::Caller& caller, const std::string& key) {
  if (key.ends_with("needed.png")) return failure(FailureKind::kConflict, "A job needs it.");
  if (!key.starts_with("assets/" + caller.tenant + "/")) {
    return failure(FailureKind::kNotFound, "There is no such asset.");
  }
  last_deleted_asset = key;
  return ok_status();
}

Result<jobs::Purged> FakeService::purge_tenant(const jobs::Caller& /*caller*/,
                                               const std::string& tenant) {
  if (tenant.empty()) return invalid_field("/tenant", "must name a tenant");
  last_purged = tenant;
  jobs::Purged purged;
  purged.deleted = {{"job", 2}, {"segment", 6}};
  return purged;
}

Result<jobs::Job> FakeService::force_fail(const jobs::Caller& caller, const std::string& id,
                                          const std::string& error) {
  return turn(caller, id, jobs::JobStatus::kFailed, error);
}

Result<jobs::Capacity> FakeService::capacity(const jobs::Caller&) {
  jobs::Capacity capacity;
  capacity.draining = fleet_draining;
  capacity.queued_jobs = 2;
  capacity.open_segments = 6;
  capacity.seconds_per_segment = 1.5;
  capacity.tenants.push_back({.tenant = "acme", .queued_jobs = 2, .open_segments = 6});
  capacity.threads = 4;
  jobs::WorkerInfo worker;
  worker.worker_id = "worker_id";
  worker.host = "host";
  worker.pid = 7;
  worker.threads = 4;
  worker.device = "CPU";
  worker.device_kind = "cpu";
  worker.encoders = {"x264"};
  worker.engines = {"api"};
  worker.pools = {{"render", 4, 3, 1, 0}, {"engine:comfyui", 1, 0, 0, 0, "open"}};
  worker.held = 3;
  capacity.workers.push_back(std::move(worker));
  jobs::admission::GpuState gpu;
  gpu.uuid = "GPU-1";
  gpu.sample.total = 1 << 30;
  gpu.sample.endpoint.state = jobs::admission::EndpointSample::State::kIdle;
  gpu.sample.endpoint.models = {{"ltx", 1 << 20}};
  gpu.promises.emplace_back().gpu = gpu.uuid;
  capacity.gpus = {gpu, jobs::admission::GpuState{"GPU-2", {}, {}, {}, {}, 0}};
  capacity.dead_letters = 1;
  capacity.latest.push_back({"queued", "", "crashed", {}});
  return capacity;
}

Status FakeService::set_draining(const jobs::Caller&, bool draining) {
  fleet_draining = draining;
  return ok_status();
}

Result<jobs::Usage> FakeService::usage(const jobs::Caller& caller) {
  return jobs::Usage{caller.tenant, caller.plan, {}, {.queued_jobs = 1}};
}

Result<std::vector<jobs::ApiKey>> FakeService::api_keys(const jobs::Caller& /*caller*/) {
  return std::vector<jobs::ApiKey>{sample_api_key()};
}

Result<jobs::NewKey> FakeService::create_key(const jobs::Caller& /*caller*/,
                                             const jobs::KeyOrder& order) {
  last_key_order = order;
  return jobs::NewKey{sample_api_key(), "pyt_secret"};
}

Result<jobs::NewKey> FakeService::rotate_key(const jobs::Caller& /*caller*/, const std::string& id,
                                             std::chrono::seconds grace) {
  if (id != "key_1") return failure(FailureKind::kNotFound, "there is no such key");
  last_grace = grace;
  return jobs::NewKey{sample_api_key(), "pyt_secret"};
}

Result<jobs::ApiKey> FakeService::revoke_key(const jobs::Caller& /*caller*/,
                                             const std::string& id) {
  if (id != "key_1") return failure(FailureKind::kNotFound, "there is no such key");
  jobs::ApiKey key = sample_api_key();
  key.revoked_at = key.created_at;
  return key;
}

jobs::Service::Readiness FakeService::readiness() { return ready; }

void FakeService::put(jobs::Job job) {
  const std::lock_guard lock(mutex_);
  jobs_[job.id] = std::move(job);
}

void FakeService::change(const std::string& id, const std::function<void(jobs::Job&)>& edit) {
  const std::lock_guard lock(mutex_);
  edit(jobs_.at(id));
  ++jobs_.at(id).version;
}

void FakeService::remove(const std::string& id) {
  const std::lock_guard lock(mutex_);
  jobs_.erase(id);
}

jobs::ApiKey sample_api_key() {
  jobs::ApiKey key;
  key.id = "key_1";
  key.digest = "digest";
  key.hint = "pyt_12ab";
  key.tenant = "acme";
  key.may_submit = true;
  key.plan = "default";
  return key;
}

}  // namespace pytoon::http::testing_support
