// GET /api/v1/admin/capacity as JSON.
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "server/jobs/admission/gpu_use.h"
#include "server/jobs/or_null.h"
#include "server/jobs/service.h"

namespace pytoon::jobs {

using admission::Bytes;
using admission::EndpointSample;
using admission::GpuState;
using admission::GpuUse;
using admission::LedgerOptions;
using admission::Promise;
using admission::Sample;
using Json = nlohmann::ordered_json;

namespace {

Json to_json(const PoolState& pool) {
  return Json{{"name", pool.name},
              {"threads", pool.threads},
              {"busy", pool.busy},
              {"lost", pool.lost},
              {"breaker", text_or_null(pool.breaker)}};
}

Json to_json(const WorkerInfo& worker);
Json to_json(const DeadLetter& letter);
Json to_json(const TenantQueue& queue);

template <typename Value>
Json list_of(const std::vector<Value>& values) {
  Json list = Json::array();
  for (const Value& value : values) list.push_back(to_json(value));
  return list;
}

Json to_json(const WorkerInfo& worker) {
  return Json{{"worker_id", worker.worker_id},
              {"host", worker.host},
              {"pid", worker.pid},
              {"threads", worker.threads},
              {"device", worker.device},
              {"device_kind", worker.device_kind},
              {"encoders", worker.encoders},
              {"engines", worker.engines},
              {"pools", list_of(worker.pools)},
              {"draining", worker.draining},
              {"held", worker.held},
              {"started_at", iso8601(worker.started_at)},
              {"seen_at", iso8601(worker.seen_at)}};
}

Json to_json(const DeadLetter& letter) {
  return Json{{"job_id", letter.job_id},
              {"event_id", text_or_null(letter.event_id)},
              {"cause", letter.cause},
              {"at", iso8601(letter.at)}};
}

Json to_json(const TenantQueue& queue) {
  return Json{{"tenant", queue.tenant},
              {"weight", queue.weight},
              {"queued_jobs", queue.queued_jobs},
              {"running_jobs", queue.running_jobs},
              {"open_segments", queue.open_segments},
              {"running_tasks", queue.running_tasks},
              {"oldest_queued_seconds", in_thousandths(queue.oldest_queued_seconds)}};
}

std::string_view name_of(EndpointSample::State state) {
  constexpr std::array<std::string_view, 4> kNames{"absent", "down", "idle", "busy"};
  return kNames.at(static_cast<std::size_t>(state));
}

Json json_of(const EndpointSample& endpoint) {
  if (endpoint.state == EndpointSample::State::kAbsent) return nullptr;
  Json models = Json::array();
  Bytes resident = 0;
  for (const auto& model : endpoint.models) {
    models.push_back({{"model", model.model}, {"bytes", model.bytes}});
    resident += model.bytes;
  }
  return Json{{"state", name_of(endpoint.state)}, {"dynamic_vram", endpoint.dynamic_vram},
              {"resident_bytes", resident},       {"working_bytes", endpoint.working},
              {"paged_bytes", endpoint.fill},     {"residue_bytes", endpoint.residue},
              {"models", std::move(models)}};
}

// Those that count: they live, or no sample shows yet what became of their memory.
Json promises_of(const GpuState& gpu, WallTime now) {
  Json list = Json::array();
  for (const Promise& promise : gpu.promises) {
    if (!counts(promise, gpu.sample, now)) continue;
    list.push_back({{"worker_id", promise.worker_id},
                    {"task", promise.task},
                    {"lane", name_of(promise.lane)},
                    {"promised_bytes", promise.bytes},
                    {"held_bytes", held_of(promise, gpu.sample)},
                    {"encoder_sessions", promise.encoder_sessions},
                    {"given_at", iso8601(promise.given_at)},
                    {"expires_at", iso8601(promise.expires_at)},
                    {"ended", ended_at(promise, now).has_value()}});
  }
  return list;
}

Json json_of(const GpuState& gpu, WallTime now) {
  const LedgerOptions options;
  const Sample& sample = gpu.sample;
  const GpuUse use = use_of(gpu, options, now);
  const std::chrono::duration<double> age = now - sample.at;
  return Json{{"gpu", gpu.uuid},
              {"name", text_or_null(sample.name)},
              {"stale", !is_fresh(sample, now, options.sample_age_max)},
              {"sampled_at", iso8601(sample.at)},
              {"age_seconds", in_thousandths(std::max(0.0, age.count()))},
              {"total_bytes", use.total},
              {"free_bytes", use.free},
              {"promised_bytes", use.promised},
              {"held_bytes", use.held},
              {"foreign_bytes", use.foreign},
              {"contexts_bytes", sample.contexts},
              {"headroom_bytes", use.headroom},
              {"available_bytes", available(gpu, now)},
              {"encoder_sessions",
               {{"used", or_null(use.sessions_used)}, {"allowed", or_null(use.sessions_allowed)}}},
              {"comfyui", json_of(sample.endpoint)},
              {"promises", promises_of(gpu, now)}};
}

}  // namespace

Json to_json(const Capacity& capacity) {
  const double pace = capacity.seconds_per_segment;
  const double work = static_cast<double>(capacity.open_segments) * pace;
  Json gpus = Json::array();
  for (const GpuState& gpu : capacity.gpus) gpus.push_back(json_of(gpu, capacity.gpus_at));
  return Json{{"draining", capacity.draining},
              {"queued_jobs", capacity.queued_jobs},
              {"open_segments", capacity.open_segments},
              {"oldest_queued_seconds", in_thousandths(capacity.oldest_queued_seconds)},
              {"tenants", list_of(capacity.tenants)},
              {"seconds_per_segment", pace > 0 ? Json(in_thousandths(pace)) : Json(nullptr)},
              {"seconds_of_work", pace > 0 ? Json(in_thousandths(work)) : Json(nullptr)},
              {"threads", capacity.threads},
              {"workers", list_of(capacity.workers)},
              {"dead_letters", capacity.dead_letters},
              {"dead_letters_latest", list_of(capacity.latest)},
              {"gpus", std::move(gpus)}};
}

}  // namespace pytoon::jobs
