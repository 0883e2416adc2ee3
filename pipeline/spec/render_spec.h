// RenderSpec, version 1: exactly what to make and nothing about how. Stored with the job; the same
// spec, assets and build give the same frames. Its JSON Schema is render_spec.schema.json beside
// this file. `style` holds what the preset decided, so that a later change of the preset does not
// change a job already taken.
//
// Written once, by the planner (pipeline/plan/planner.h) from a validated request, and never
// changed. Times in it are seconds that lie on frame bounds: plan::Timeline turns them into exact
// frames, which is what everything after it counts in. Levels are dB (see preset.h), lengths px of
// the design.
//
// Thread rule: values.
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

// A caption is shown from start up to, not including, end; captions follow without a gap.
struct CaptionTiming {
  double start = 0;  // s, on a frame bound
  double end = 0;    // s, likewise
  std::string text;
};

struct CaptionsPlan {
  std::string hook;                    // the first caption; "" is none
  std::vector<std::string> beats;      // those between, in order
  std::string cta;                     // the last, the call to action; "" is none
  std::vector<CaptionTiming> timings;  // all of them, sharing the whole duration evenly
};

struct SegmentSpec {
  int index = 0;
  int duration_seconds = 3;  // 2 to 4 but for the last; they sum up to the target
  std::string prompt;        // for generated footage; engines that draw don't read it
};

struct Assets {
  std::vector<std::string> images;   // storage URIs, storage://key; one a segment, in turn
  std::vector<std::string> clips;    // after the images
  std::optional<std::string> mask;   // of the first image
  std::optional<std::string> music;  // repeated or trimmed to the length
  std::optional<std::string> voice;  // never longer than the video
};

struct Style {
  CaptionStyle caption;
  MotionProfile motion_profile = MotionProfile::kSubtle;
  OverlayFx overlay_fx;
};

struct Constraints {
  std::string platform = "universal";
  SafeZone safe_zones;
  bool keep_subject_static = false;  // brand-safe: the product itself does not move
};

struct RenderSpec {
  Archetype archetype = Archetype::kProductHero;
  bool brand_safe = true;
  int target_duration_seconds = 15;
  int segment_duration_seconds = 3;  // of all but the last
  std::string preset_id;
  EnginePolicy engine_policy = EnginePolicy::kLocalPreferred;
  std::uint32_t seed = 0;  // chooses the camera's moves; engines derive theirs from it
  Output output;           // in JSON only where it is not the one of today
  Assets assets;
  CaptionsPlan captions_plan;
  AudioLevels audio_plan;
  Transition transition;
  Constraints constraints;
  Style style;
  Quality quality = Quality::kBalanced;
  bool footage_only = false;  // no captions, no logo, no product: another Pytoon adds them
  bool reuse = true;          // of finished segments of other jobs with the same pixels
  std::vector<SegmentSpec> segments;
};

nlohmann::ordered_json to_json(const RenderSpec& spec);
// Validates against the schema, then reads. Faults carry pointers.
Result<RenderSpec> render_spec_from_json(const nlohmann::ordered_json& json);
// The schema's text, built into the program.
const std::string& render_spec_schema();

}  // namespace pytoon::spec
