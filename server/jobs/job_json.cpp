#include <nlohmann/json.hpp>

#include "pipeline/spec/names.h"
#include "server/jobs/service.h"

namespace pytoon::jobs {
namespace {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

Json to_json(const Job& job) {
  const auto uri = [&job](const char* file) {
    return job.status == JobStatus::kDone && !job.files_removed
               ? Json("storage://" + job_file_key(job.id, file))
               : Json(nullptr);
  };
  return Json{{"job_id", job.id},
              {"status", name_of(job.status)},
              {"archetype", spec::name_of(job.spec.archetype)},
              {"preset_id", job.spec.preset_id},
              {"target_duration_seconds", job.spec.target_duration_seconds},
              {"progress_pct", job.progress_pct},
              {"output_uri", uri("output.mp4")},
              {"thumbnail_uri", uri("thumbnail.jpg")},
              {"metadata_uri", uri("metadata.json")},
              {"fallback_used", job.fallback_used},
              {"fallback_reason", text_or_null(job.fallback_reason)},
              {"error", text_or_null(job.error)},
              {"created_at", iso8601(job.created_at)},
              {"updated_at", iso8601(job.updated_at)},
              {"queue_position", job.queue_position},
              {"waiting_for", text_or_null(job.waiting_for)},
              {"eta_seconds", job.eta_seconds ? Json(*job.eta_seconds) : Json(nullptr)},
              {"run", job.run},
              {"attempts", job.attempts},
              {"degraded", text_or_null(job.degraded)}};
}

Json to_json(const std::string& job_id, const std::vector<Segment>& segments) {
  Json list = Json::array();
  for (const Segment& segment : segments) {
    const bool there = !segment.artifact_key.empty();
    list.push_back(
        {{"index", segment.index},
         {"status", name_of(segment.status)},
         {"duration_seconds", segment.duration_seconds},
         {"engine_used", text_or_null(segment.engine_used)},
         {"artifact_uri",
          there ? Json("storage://" + segment_link_key(job_id, segment.index)) : Json(nullptr)},
         {"error", text_or_null(segment.error)}});
  }
  return Json{{"job_id", job_id}, {"segments", std::move(list)}};
}

Json to_json(const Purged& purged) {
  return Json{{"complete", purged.complete()},
              {"jobs_cancelled", purged.jobs_cancelled},
              {"deleted", purged.deleted},
              {"left",
               {{"jobs", purged.rows_left.jobs},
                {"assets", purged.rows_left.assets},
                {"idempotency_records", purged.rows_left.idempotency_records},
                {"deletions", purged.rows_left.deletions},
                {"objects", purged.objects_left}}}};
}

namespace {

Json to_json(const PoolState& pool) {
  return Json{
      {"name", pool.name}, {"threads", pool.threads}, {"busy", pool.busy}, {"lost", pool.lost}};
}

Json to_json(const WorkerInfo& worker);
Json to_json(const DeadLetter& letter);

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

}  // namespace

Json to_json(const Capacity& capacity) {
  const double pace = capacity.seconds_per_segment;
  const double work = static_cast<double>(capacity.open_segments) * pace;
  return Json{{"draining", capacity.draining},
              {"queued_jobs", capacity.queued_jobs},
              {"open_segments", capacity.open_segments},
              {"oldest_queued_seconds", in_thousandths(capacity.oldest_queued_seconds)},
              {"seconds_per_segment", pace > 0 ? Json(in_thousandths(pace)) : Json(nullptr)},
              {"seconds_of_work", pace > 0 ? Json(in_thousandths(work)) : Json(nullptr)},
              {"threads", capacity.threads},
              {"workers", list_of(capacity.workers)},
              {"dead_letters", capacity.dead_letters},
              {"dead_letters_latest", list_of(capacity.latest)}};
}

}  // namespace pytoon::jobs
