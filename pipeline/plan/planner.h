// The planner: from a validated request to a RenderSpec. What the request leaves open is decided
// here, once, in this order: the request, the environment, the preset, the defaults.
//
// Thread rule: pure, any thread: opens no file, asks no clock, draws no random number. Some ten
// microseconds. Values are copied out of the catalogue, which may change afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "pipeline/spec/job_request.h"
#include "pipeline/spec/platform.h"
#include "pipeline/spec/preset.h"
#include "pipeline/spec/render_spec.h"

namespace pytoon::plan {

// config/defaults.yaml and the variables of the environment that were set explicitly.
struct Defaults {
  int target_duration_seconds = 15;
  int segment_duration_seconds = 3;
  spec::Quality quality = spec::Quality::kBalanced;
  std::optional<spec::Quality> env_quality;                // QUALITY_DEFAULT
  std::optional<bool> env_brand_safe;                      // BRAND_SAFE_DEFAULT
  std::optional<spec::EnginePolicy> env_engine_policy;     // ENGINE_POLICY_DEFAULT
  std::map<spec::Archetype, std::string> segment_prompts;  // templates; {prompt} is replaced
};

struct Catalogue {
  spec::PresetTable presets;
  spec::PlatformTable platforms;
  Defaults defaults;
};

// kMalformed for an unknown preset, kInvalid for an unknown platform. `seed` is used when the
// request has none.
Result<spec::RenderSpec> make_render_spec(const spec::JobRequest& request,
                                          const Catalogue& catalogue, std::uint32_t seed);

}  // namespace pytoon::plan
