// Presets: the looks a client can ask for, from config/presets.yaml. Adding one needs no code.
// Read once at the start; a job stores what its preset decided, so that a later change of the file
// changes no job that was taken.
//
// Lengths in px are of the 1080x1920 design and scale with the output. Levels are in dB relative to
// full scale (0 dB leaves a sample as it is), applied before ducking and before the master is
// brought to -14 LUFS, so that it is their difference that is heard.
//
// Thread rule: values.
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
  std::string font;  // family; config/fonts.yaml says what stands in when it is not installed
  SizeRule size_rule = SizeRule::kAuto;
  CaptionPosition position = CaptionPosition::kLowerThird;
  int safe_margin_px = 120;  // of the design (output.h); >= 120
};

struct Transition {
  TransitionType type = TransitionType::kCrossfade;
  int duration_ms = 150;  // at the start of the incoming segment; 0 for a cut
};

struct AudioLevels {
  double music_level_db = -18;  // dB, <= 0
  double voice_level_db = -6;   // dB, <= 0
  bool duck_music = true;       // lower the music while the voice speaks; a preset always does
};

// Effects behind OVERLAY's product.
struct OverlayFx {
  bool shadow = false;  // soft, below it
  bool glow = false;    // soft, around it
};

struct Preset {
  std::string id;    // what a request names: [a-z0-9_]
  std::string name;  // for people
  Archetype archetype = Archetype::kProductHero;
  bool brand_safe = true;  // the request may overrule it
  EnginePolicy engine_policy = EnginePolicy::kLocalPreferred;
  CaptionStyle caption_style;
  MotionProfile motion_profile = MotionProfile::kSubtle;
  Transition transition;
  AudioLevels audio;
  OverlayFx overlay_fx;
  std::optional<Quality> quality;    // the operator's default where it says none
  std::vector<std::string> engines;  // names, best first
};

using PresetTable = std::map<std::string, Preset>;  // by id

// All faults of the file at once, each with a pointer such as /presets/2/caption_style/font.
Result<PresetTable> read_presets(const std::filesystem::path& presets_yaml);
nlohmann::ordered_json to_json(const Preset& preset);

}  // namespace pytoon::spec
