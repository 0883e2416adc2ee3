#include "pipeline/spec/render_spec.h"

#include <nlohmann/json.hpp>

#include "pipeline/spec/field_reader.h"
#include "pipeline/spec/schema.h"
#include "pipeline/spec/style_json.h"

namespace pytoon::spec {

using Json = nlohmann::ordered_json;

namespace {

Json captions_to_json(const CaptionsPlan& plan) {
  Json timings = Json::array();
  for (const CaptionTiming& timing : plan.timings) {
    timings.push_back({{"start", timing.start}, {"end", timing.end}, {"text", timing.text}});
  }
  return {{"hook", plan.hook}, {"beats", plan.beats}, {"cta", plan.cta}, {"timings", timings}};
}

Json constraints_to_json(const Constraints& constraints) {
  const SafeZone& zone = constraints.safe_zones;
  return {{"safe_zones",
           {{"platform", constraints.platform},
            {"top_px", zone.top},
            {"right_px", zone.right},
            {"bottom_px", zone.bottom},
            {"left_px", zone.left}}},
          {"keep_subject_static", constraints.keep_subject_static}};
}

Json segments_to_json(const std::vector<SegmentSpec>& segments) {
  Json list = Json::array();
  for (const SegmentSpec& segment : segments) {
    list.push_back({{"index", segment.index},
                    {"duration_seconds", segment.duration_seconds},
                    {"prompt", segment.prompt}});
  }
  return list;
}

Json output_to_json(const Output& output) {
  return {{"width", output.width}, {"height", output.height}, {"fps", output.fps}};
}

Json text_or_null(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json(nullptr);
}

// Below, the schema has been checked: every field is there and of its type.

CaptionsPlan captions_from_json(const Json& json) {
  CaptionsPlan plan;
  plan.hook = json.at("hook").get<std::string>();
  plan.beats = json.at("beats").get<std::vector<std::string>>();
  plan.cta = json.at("cta").get<std::string>();
  for (const Json& timing : json.at("timings")) {
    plan.timings.push_back({timing.at("start").get<double>(), timing.at("end").get<double>(),
                            timing.at("text").get<std::string>()});
  }
  return plan;
}

Constraints constraints_from_json(const Json& json) {
  const Json& zone = json.at("safe_zones");
  Constraints constraints;
  constraints.platform = zone.at("platform").get<std::string>();
  constraints.safe_zones = {zone.at("top_px").get<int>(), zone.at("right_px").get<int>(),
                            zone.at("bottom_px").get<int>(), zone.at("left_px").get<int>()};
  constraints.keep_subject_static = json.at("keep_subject_static").get<bool>();
  return constraints;
}

Output output_from_json(const Json& json, std::vector<FieldFault>& faults) {
  const Output output{json.at("width").get<int>(), json.at("height").get<int>(),
                      json.at("fps").get<int>()};
  if (output != Output{}) faults.push_back({"/output", "must be 1080 x 1920 px at 30 fps"});
  return output;
}

std::optional<std::string> optional_text(const Json& json) {
  if (!json.is_string()) return std::nullopt;
  return json.get<std::string>();
}

template <typename Enum>
Enum choice(const Json& json, const char* name) {
  const std::optional<Enum> value = from_name<Enum>(json.at(name).get<std::string>());
  CHECK(value.has_value(), "the schema and the names disagree");
  return *value;
}

Style style_from_json(const Json& json, std::vector<FieldFault>& faults) {
  Style style;
  style.caption = read_caption_style(json.at("caption_style"), "/style/caption_style", faults);
  style.motion_profile = choice<MotionProfile>(json, "motion_profile");
  style.overlay_fx = read_overlay_fx(json.at("overlay_fx"), "/style/overlay_fx", faults);
  return style;
}

}  // namespace

Json to_json(const RenderSpec& spec) {
  Json prompts = Json::array();
  for (const SegmentSpec& segment : spec.segments) prompts.push_back(segment.prompt);
  Json json{{"render_spec_version", kRenderSpecVersion},
            {"archetype", name_of(spec.archetype)},
            {"brand_safe", spec.brand_safe},
            {"aspect_ratio", "9:16"},
            {"target_duration_seconds", spec.target_duration_seconds},
            {"segment_duration_seconds", spec.segment_duration_seconds},
            {"preset_id", spec.preset_id},
            {"engine_policy", name_of(spec.engine_policy)},
            {"seed", spec.seed},
            {"assets",
             {{"images", spec.assets.images},
              {"clips", spec.assets.clips},
              {"mask", text_or_null(spec.assets.mask)},
              {"music", text_or_null(spec.assets.music)},
              {"voice", text_or_null(spec.assets.voice)}}},
            {"segment_prompts", prompts},
            {"captions_plan", captions_to_json(spec.captions_plan)},
            {"audio_plan",
             {{"music_level_db", spec.audio_plan.music_level_db},
              {"voice_level_db", spec.audio_plan.voice_level_db},
              {"duck_music", spec.audio_plan.duck_music}}},
            {"transition", to_json(spec.transition)},
            {"constraints", constraints_to_json(spec.constraints)},
            {"style",
             {{"caption_style", to_json(spec.style.caption)},
              {"motion_profile", name_of(spec.style.motion_profile)},
              {"overlay_fx", to_json(spec.style.overlay_fx)}}},
            {"segments", segments_to_json(spec.segments)}};
  if (spec.footage_only) json["footage_only"] = true;
  if (!spec.reuse) json["reuse"] = false;
  if (spec.quality != Quality::kBalanced) json["quality"] = name_of(spec.quality);
  if (spec.output != Output{}) json["output"] = output_to_json(spec.output);
  return json;
}

Result<RenderSpec> render_spec_from_json(const Json& json) {
  std::vector<FieldFault> faults = schema_faults(render_spec_schema(), json);
  if (!faults.empty()) return invalid(std::move(faults));
  RenderSpec spec;
  spec.archetype = choice<Archetype>(json, "archetype");
  spec.brand_safe = json.at("brand_safe").get<bool>();
  spec.target_duration_seconds = json.at("target_duration_seconds").get<int>();
  spec.segment_duration_seconds = json.at("segment_duration_seconds").get<int>();
  spec.preset_id = json.at("preset_id").get<std::string>();
  spec.engine_policy = choice<EnginePolicy>(json, "engine_policy");
  spec.seed = json.at("seed").get<std::uint32_t>();
  spec.assets.images = json.at("assets").at("images").get<std::vector<std::string>>();
  spec.assets.clips = json.at("assets").at("clips").get<std::vector<std::string>>();
  spec.assets.mask = optional_text(json.at("assets").at("mask"));
  spec.assets.music = optional_text(json.at("assets").at("music"));
  spec.assets.voice = optional_text(json.at("assets").at("voice"));
  spec.captions_plan = captions_from_json(json.at("captions_plan"));
  spec.audio_plan = read_audio_levels(json.at("audio_plan"), "/audio_plan", faults, true);
  spec.transition = read_transition(json.at("transition"), "/transition", faults);
  spec.constraints = constraints_from_json(json.at("constraints"));
  spec.style = style_from_json(json.at("style"), faults);
  spec.footage_only = json.value("footage_only", false);
  spec.reuse = json.value("reuse", true);
  if (json.contains("quality")) spec.quality = choice<Quality>(json, "quality");
  if (json.contains("output")) spec.output = output_from_json(json.at("output"), faults);
  int total_seconds = 0;
  for (const Json& segment : json.at("segments")) {
    spec.segments.push_back({segment.at("index").get<int>(),
                             segment.at("duration_seconds").get<int>(),
                             segment.at("prompt").get<std::string>()});
    total_seconds += spec.segments.back().duration_seconds;
  }
  if (total_seconds != spec.target_duration_seconds) {
    faults.push_back({"/segments", "durations must sum to target_duration_seconds"});
  }
  if (!faults.empty()) return invalid(std::move(faults));
  return spec;
}

}  // namespace pytoon::spec
