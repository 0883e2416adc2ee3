// The answer to POST /api/v1/jobs?dry_run=true as JSON.
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "server/jobs/admission/gpu_state.h"
#include "server/jobs/job_estimate.h"
#include "server/jobs/or_null.h"

namespace pytoon::jobs {
namespace {

using Json = nlohmann::ordered_json;

Json lane_or_null(const std::optional<admission::Lane>& lane) {
  return lane ? Json(admission::name_of(*lane)) : Json(nullptr);
}

Json json_of(const SecondsEstimate& estimate) {
  const Json seconds = estimate.seconds ? Json(in_thousandths(*estimate.seconds)) : Json(nullptr);
  return Json{{"seconds", seconds}, {"basis", estimate.basis}};
}

Json json_of(const BytesEstimate& estimate) {
  return Json{{"bytes", or_null(estimate.bytes)}, {"basis", estimate.basis}};
}

Json json_of(const SegmentEstimate& segment) {
  return Json{{"index", segment.index},
              {"duration_seconds", segment.duration_seconds},
              {"engine", segment.engine},
              {"footage_lane", lane_or_null(segment.footage_lane)},
              {"compositor_lane", lane_or_null(segment.compositor_lane)},
              {"render_bytes", or_null(segment.render_bytes)},
              {"generate_bytes", or_null(segment.generate_bytes)}};
}

}  // namespace

Json to_json(const JobEstimate& estimate) {
  Json segments = Json::array();
  for (const SegmentEstimate& segment : estimate.segments) segments.push_back(json_of(segment));
  Json warnings = Json::array();
  for (const FieldFault& warning : estimate.warnings) {
    warnings.push_back({{"pointer", warning.pointer}, {"detail", warning.detail}});
  }
  return Json{
      {"dry_run", true},
      {"preset_id", estimate.preset_id},
      {"archetype", estimate.archetype},
      {"target_duration_seconds", estimate.target_duration_seconds},
      {"segments", estimate.segments.size()},
      {"plan", std::move(segments)},
      {"vram", {{"render", json_of(estimate.render)}, {"generate", json_of(estimate.generate)}}},
      {"wait", json_of(estimate.wait)},
      {"run", json_of(estimate.run)},
      {"money",
       {{"micro_usd", estimate.micro_usd},
        {"micro_usd_max", estimate.micro_usd_max},
        {"basis", estimate.money_basis}}},
      {"warnings", std::move(warnings)}};
}

}  // namespace pytoon::jobs
