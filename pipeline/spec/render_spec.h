// RenderSpec, version 1: exactly what to make and nothing about how. Stored with the job; the same
// spec, assets and build give the same frames. Its JSON Schema is render_spec.schema.json beside
// this file. `style` holds what the preset decided, so that a later change of the preset does not
// change a job already taken.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/spec/names.h"
#include "pipeline/spec/output.h"
#include "pipeline/spec/platform.h"
#include "pipeline/spec/preset.h"

namespace pytoon::spec {

inline constexpr int kRenderSpecVersion = 1;

struct CaptionTiming {
  double start = 0;  // s, on a frame bound
  double end = 0;
  std::string text;
};

struct CaptionsPlan {
  std::string hook;
  std::vector<std::string> beats;
  std::string cta;
  std::vector<CaptionTiming> timings;
};

struct SegmentSpec {
  int index = 0;
  int duration_seconds = 3;
  std::string prompt;
};

struct Assets {
  std::vector<std::string> images;  // storage URIs
  std::vector<std::string> clips;
  std::optional<std::string> mask;
  std::optional<std::string> music;
  std::optional<std::string> voice;
};

struct Style {
  CaptionStyle caption;
  MotionProfile motion_profile = MotionProfile::kSubtle;
  OverlayFx overlay_fx;
};

struct Constraints {
  std::string platform = "universal";
  SafeZone safe_zones;
  bool keep_subject_static = false;
};

struct RenderSpec {
  Archetype archetype = Archetype::kProductHero;
  bool brand_safe = true;
  int target_duration_seconds = 15;
  int segment_duration_seconds = 3;
  std::string preset_id;
  EnginePolicy engine_policy = EnginePolicy::kLocalPreferred;
  std::uint32_t seed = 0;
  Output output;  // in JSON only where it is not the one of today
  Assets assets;
  CaptionsPlan captions_plan;
  AudioLevels audio_plan;
  Transition transition;
  Constraints constraints;
  Style style;
  bool footage_only = false;  // no captions, no logo, no product: another Pytoon adds them
  std::vector<SegmentSpec> segments;
};

nlohmann::ordered_json to_json(const RenderSpec& spec);
// Validates against the schema, then reads. Faults carry pointers.
Result<RenderSpec> render_spec_from_json(const nlohmann::ordered_json& json);
// The schema's text, built into the program.
const std::string& render_spec_schema();

}  // namespace pytoon::spec
