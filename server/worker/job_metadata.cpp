#include "server/worker/job_metadata.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "engines/engine.h"

namespace pytoon::worker {

using Json = nlohmann::ordered_json;

namespace {

Json seconds_between(WallTime from, const std::optional<WallTime>& to) {
  if (!to) return nullptr;
  return in_thousandths(std::chrono::duration<double>(*to - from).count());
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::string engines_used(const std::vector<jobs::Segment>& segments) {
  std::vector<std::string> seen;
  std::string joined;
  for (const jobs::Segment& segment : segments) {
    if (std::find(seen.begin(), seen.end(), segment.engine_used) != seen.end()) continue;
    seen.push_back(segment.engine_used);
    joined += (joined.empty() ? "" : "+") + segment.engine_used;
  }
  return joined;
}

Json audio_json(const media::AudioMeasures& measures) {
  const auto rounded = [](const std::optional<double>& value) {
    return value ? Json(in_thousandths(*value)) : Json(nullptr);
  };
  return Json{{"integrated_lufs", rounded(measures.integrated_lufs)},
              {"true_peak_dbtp", rounded(measures.true_peak_dbtp)},
              {"loudness_range_lu", in_thousandths(measures.loudness_range_lu)},
              {"gain_db", in_thousandths(measures.gain_db)},
              {"ducked", measures.ducked},
              {"voice_mended", text_or_null(std::string(name_of(measures.voice_mended)))}};
}

Json job_metadata(const jobs::Job& job, const std::vector<jobs::Segment>& segments,
                  double assembly_seconds, WallTime completed_at, Json renderer_facts) {
  Json list = Json::array();
  for (const jobs::Segment& segment : segments) {
    list.push_back({{"index", segment.index},
                    {"engine", segment.engine_used},
                    {"uri", "storage://" + jobs::segment_link_key(job.id, segment.index)},
                    {"seed", engines::request_of(job.spec, segment.index).seed},
                    {"reused", segment.reused},
                    {"duration", segment.duration_seconds}});
  }
  return Json{
      {"job_id", job.id},
      {"preset_id", job.spec.preset_id},
      {"archetype", spec::name_of(job.spec.archetype)},
      {"engine_used", engines_used(segments)},
      {"brand_safe", job.spec.brand_safe},
      {"target_duration_seconds", job.spec.target_duration_seconds},
      {"segments", std::move(list)},
      {"segments_reused", std::ranges::count_if(segments, &jobs::Segment::reused)},
      {"fallback_used", job.fallback_used},
      {"fallback_reason", text_or_null(job.fallback_reason)},
      {"degraded", text_or_null(job.degraded)},
      {"created_at", iso8601(job.created_at)},
      {"completed_at", iso8601(completed_at)},
      {"timings",
       {{"waited_seconds", seconds_between(job.created_at, job.started_at)},
        {"segments_seconds",
         job.started_at ? seconds_between(*job.started_at, job.rendered_at) : Json(nullptr)},
        {"assembly_seconds", in_thousandths(assembly_seconds)}}},
      {"audio", job.audio_facts.empty() ? Json(nullptr) : parse_json<Json>(job.audio_facts)},
      {"made_with", std::move(renderer_facts)}};
}

}  // namespace pytoon::worker
