#include "pipeline/spec/preset.h"

#include <nlohmann/json.hpp>

#include "base/yaml.h"
#include "pipeline/spec/field_reader.h"
#include "pipeline/spec/style_json.h"

namespace pytoon::spec {

using Json = nlohmann::ordered_json;

namespace {

Preset read_preset(const Json& json, const std::string& pointer, std::vector<FieldFault>& faults) {
  FieldReader r(json, pointer, faults);
  Preset preset;
  preset.id = r.text("id", 1, 60);
  preset.name = r.text("name", 1, 80);
  preset.archetype = r.choice<Archetype>("archetype");
  preset.brand_safe = r.truth("brand_safe");
  preset.engine_policy = r.choice<EnginePolicy>("engine_policy");
  if (const Json* part = r.object("caption_style")) {
    preset.caption_style = read_caption_style(*part, r.at("caption_style"), faults);
  }
  preset.motion_profile = r.choice<MotionProfile>("motion_profile");
  if (const Json* part = r.object("transitions")) {
    preset.transition = read_transition(*part, r.at("transitions"), faults);
  }
  if (const Json* part = r.object("audio")) {
    preset.audio = read_audio_levels(*part, r.at("audio"), faults, false);
  }
  if (const Json* part = r.object("overlay_fx")) {
    preset.overlay_fx = read_overlay_fx(*part, r.at("overlay_fx"), faults);
  }
  if (r.has("quality")) preset.quality = r.choice<Quality>("quality");
  preset.engines = r.texts("engines", 16, 60);
  if (preset.engines.empty()) r.fault("engines", "must name at least one engine");
  r.finish();
  return preset;
}

}  // namespace

Result<PresetTable> read_presets(const std::filesystem::path& presets_yaml) {
  Result<Json> json = read_yaml(presets_yaml);
  if (!json) return json.failure();
  std::vector<FieldFault> faults;
  PresetTable table;
  FieldReader r(*json, "", faults);
  if (const Json* list = r.array("presets")) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string pointer = "/presets/" + std::to_string(i);
      Preset preset = read_preset((*list)[i], pointer, faults);
      const std::string id = preset.id;
      if (!table.emplace(id, std::move(preset)).second) {
        faults.push_back({pointer + "/id", "is used twice: " + id});
      }
    }
  }
  r.finish();
  if (faults.empty()) return table;
  Failure failed = invalid(std::move(faults));
  failed.detail = presets_yaml.string() + ": " + failed.detail;
  return failed;
}

Json to_json(const Preset& preset) {
  Json json{{"id", preset.id},
            {"name", preset.name},
            {"archetype", name_of(preset.archetype)},
            {"brand_safe", preset.brand_safe},
            {"engine_policy", name_of(preset.engine_policy)},
            {"caption_style", to_json(preset.caption_style)},
            {"motion_profile", name_of(preset.motion_profile)},
            {"transitions", to_json(preset.transition)},
            {"audio",
             {{"music_level_db", preset.audio.music_level_db},
              {"voice_level_db", preset.audio.voice_level_db}}},
            {"overlay_fx", to_json(preset.overlay_fx)},
            {"engines", preset.engines}};
  if (preset.quality) json["quality"] = name_of(*preset.quality);
  return json;
}

}  // namespace pytoon::spec
