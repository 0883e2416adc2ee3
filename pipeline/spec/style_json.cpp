#include "pipeline/spec/style_json.h"

#include <nlohmann/json.hpp>

#include "pipeline/spec/field_reader.h"

namespace pytoon::spec {

using Json = nlohmann::ordered_json;

CaptionStyle read_caption_style(const Json& json, const std::string& pointer,
                                std::vector<FieldFault>& faults) {
  FieldReader r(json, pointer, faults);
  CaptionStyle style;
  style.font = r.text("font", 1, 80);
  style.size_rule = r.choice<SizeRule>("size_rules");
  style.position = r.choice<CaptionPosition>("position");
  style.safe_margin_px = static_cast<int>(r.whole("safe_margin_px", 120, 400));
  r.finish();
  return style;
}

Transition read_transition(const Json& json, const std::string& pointer,
                           std::vector<FieldFault>& faults) {
  FieldReader r(json, pointer, faults);
  Transition transition;
  transition.type = r.choice<TransitionType>("type");
  transition.duration_ms = static_cast<int>(r.whole("duration_ms", 0, 1000));
  r.finish();
  return transition;
}

AudioLevels read_audio_levels(const Json& json, const std::string& pointer,
                              std::vector<FieldFault>& faults, bool with_ducking) {
  FieldReader r(json, pointer, faults);
  AudioLevels levels;
  levels.music_level_db = r.number("music_level_db", -60, 0);
  levels.voice_level_db = r.number("voice_level_db", -60, 0);
  if (with_ducking) levels.duck_music = r.truth("duck_music");
  r.finish();
  return levels;
}

OverlayFx read_overlay_fx(const Json& json, const std::string& pointer,
                          std::vector<FieldFault>& faults) {
  FieldReader r(json, pointer, faults);
  OverlayFx fx;
  fx.shadow = r.truth("shadow");
  fx.glow = r.truth("glow");
  r.finish();
  return fx;
}

Json to_json(const CaptionStyle& style) {
  return {{"font", style.font},
          {"size_rules", name_of(style.size_rule)},
          {"position", name_of(style.position)},
          {"safe_margin_px", style.safe_margin_px}};
}

Json to_json(const Transition& transition) {
  return {{"type", name_of(transition.type)}, {"duration_ms", transition.duration_ms}};
}

Json to_json(const OverlayFx& fx) { return {{"shadow", fx.shadow}, {"glow", fx.glow}}; }

}  // namespace pytoon::spec
