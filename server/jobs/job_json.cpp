#include <nlohmann/json.hpp>

#include "pipeline/spec/names.h"
#include "server/jobs/or_null.h"
#include "server/jobs/service.h"

namespace pytoon::jobs {

using Json = nlohmann::ordered_json;

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
              {"started_at", time_or_null(job.taken_at)},
              {"rendered_at", time_or_null(job.rendered_at)},
              {"completed_at", time_or_null(job.completed_at)},
              {"queue_position", job.queue_position},
              {"waiting_for", text_or_null(job.waiting_for)},
              {"eta_seconds", job.eta_seconds ? Json(*job.eta_seconds) : Json(nullptr)},
              {"run", job.run},
              {"attempts", job.attempts},
              {"segments_reused", job.segments_reused},
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
         {"reused", segment.reused},
         {"error", text_or_null(segment.error)},
         {"engines_declined", text_or_null(segment.engine_failures)},
         {"render_seconds",
          segment.finished_at ? Json(in_thousandths(segment.render_seconds)) : Json(nullptr)},
         {"finished_at", time_or_null(segment.finished_at)}});
  }
  return Json{{"job_id", job_id}, {"segments", std::move(list)}};
}

Json to_json(const Usage& usage) {
  return Json{{"tenant", usage.tenant},
              {"plan", usage.plan},
              {"limits",
               {{"requests_per_second", usage.limits.requests_per_second},
                {"queued_jobs", usage.limits.queued_jobs},
                {"weight", usage.limits.weight},
                {"storage_bytes", usage.limits.storage_bytes},
                {"uploads_at_once", usage.limits.uploads_at_once},
                {"refused_uploads_per_minute", usage.limits.refused_uploads_per_minute},
                {"connections", usage.limits.connections}}},
              {"used",
               {{"queued_jobs", usage.used.queued_jobs},
                {"running_tasks", usage.used.running_tasks},
                {"storage_bytes", usage.used.storage_bytes},
                {"stored_uploads", usage.used.stored_uploads}}}};
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

}  // namespace pytoon::jobs
