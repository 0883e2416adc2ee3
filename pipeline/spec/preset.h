// Presets: the looks a client can ask for, from config/presets.yaml. Adding one needs no code.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/spec/names.h"

namespace pytoon::spec {

struct CaptionStyle {
  std::string font;
  SizeRule size_rule = SizeRule::kAuto;
  CaptionPosition position = CaptionPosition::kLowerThird;
  int safe_margin_px = 120;  // of the design (output.h); >= 120
};

struct Transition {
  TransitionType type = TransitionType::kCrossfade;
  int duration_ms = 150;
};

struct AudioLevels {
  double music_level_db = -18;
  double voice_level_db = -6;
  bool duck_music = true;  // a preset always does
};

struct OverlayFx {
  bool shadow = false;
  bool glow = false;
};

struct Preset {
  std::string id;
  std::string name;
  Archetype archetype = Archetype::kProductHero;
  bool brand_safe = true;
  EnginePolicy engine_policy = EnginePolicy::kLocalPreferred;
  CaptionStyle caption_style;
  MotionProfile motion_profile = MotionProfile::kSubtle;
  Transition transition;
  AudioLevels audio;
  OverlayFx overlay_fx;
  std::vector<std::string> engines;  // names, best first
};

using PresetTable = std::map<std::string, Preset>;  // by id

// All faults of the file at once, each with a pointer such as /presets/2/caption_style/font.
Result<PresetTable> read_presets(const std::filesystem::path& presets_yaml);
nlohmann::ordered_json to_json(const Preset& preset);

}  // namespace pytoon::spec
