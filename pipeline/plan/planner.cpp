#include "pipeline/plan/planner.h"

#include <algorithm>

#include "base/nearest.h"
#include "pipeline/plan/captions.h"
#include "pipeline/spec/field_reader.h"

namespace pytoon::plan {
namespace {

spec::EnginePolicy policy_of(const spec::JobRequest& request, const spec::Preset& preset,
                             const Defaults& defaults) {
  if (request.engine_policy) return *request.engine_policy;
  const bool pinned = preset.engine_policy == spec::EnginePolicy::kLocalOnly;
  if (defaults.env_engine_policy && !pinned) return *defaults.env_engine_policy;
  return preset.engine_policy;
}

bool brand_safe_of(const spec::JobRequest& request, const spec::Preset& preset,
                   const Defaults& defaults) {
  if (request.brand_safe) return *request.brand_safe;
  return defaults.env_brand_safe.value_or(preset.brand_safe);
}

spec::Quality quality_of(const spec::JobRequest& request, const spec::Preset& preset,
                         const Defaults& defaults) {
  if (request.quality) return *request.quality;
  if (defaults.env_quality) return *defaults.env_quality;
  return preset.quality.value_or(defaults.quality);
}

// What brand-safe forbids is turned into its nearest allowed neighbour.
void make_brand_safe(spec::RenderSpec& spec) {
  spec::MotionProfile& motion = spec.style.motion_profile;
  if (motion == spec::MotionProfile::kPunchy || motion == spec::MotionProfile::kChaotic) {
    motion = spec::MotionProfile::kSubtle;
  }
  spec.constraints.keep_subject_static = true;
}

std::string fill_prompt(const std::string& pattern, const std::string& prompt) {
  constexpr std::string_view kSlot = "{prompt}";
  std::string text = pattern;
  if (const std::size_t at = text.find(kSlot); at != std::string::npos) {
    text.replace(at, kSlot.size(), prompt);
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

std::vector<spec::SegmentSpec> cut_segments(int target_seconds, int segment_seconds,
                                            const std::string& prompt) {
  std::vector<spec::SegmentSpec> segments;
  for (int start = 0; start < target_seconds; start += segment_seconds) {
    segments.push_back({static_cast<int>(segments.size()),
                        std::min(segment_seconds, target_seconds - start), prompt});
  }
  return segments;
}

template <typename Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& row : table) names.push_back(row.first);
  return names;
}

}  // namespace

Result<spec::RenderSpec> make_render_spec(const spec::JobRequest& request,
                                          const Catalogue& catalogue, std::uint32_t seed) {
  const auto found = catalogue.presets.find(request.preset_id);
  if (found == catalogue.presets.end()) {
    Failure unknown = invalid_field(
        "/preset_id", "names no preset: see GET /api/v1/presets" +
                          did_you_mean(request.preset_id, names_of(catalogue.presets)));
    unknown.kind = FailureKind::kMalformed;
    return unknown;
  }
  const spec::Preset& preset = found->second;
  const auto zone = catalogue.platforms.find(request.platform);
  if (zone == catalogue.platforms.end()) {
    const std::vector<std::string> names = names_of(catalogue.platforms);
    return invalid_field("/platform", "must be " + spec::one_of({names.begin(), names.end()}) +
                                          did_you_mean(request.platform, names));
  }

  spec::RenderSpec spec;
  spec.archetype = request.archetype.value_or(preset.archetype);
  spec.brand_safe = brand_safe_of(request, preset, catalogue.defaults);
  spec.target_duration_seconds =
      request.target_duration_seconds.value_or(catalogue.defaults.target_duration_seconds);
  spec.segment_duration_seconds = catalogue.defaults.segment_duration_seconds;
  spec.preset_id = preset.id;
  spec.engine_policy = policy_of(request, preset, catalogue.defaults);
  spec.quality = quality_of(request, preset, catalogue.defaults);
  spec.seed = request.seed.value_or(seed);
  spec.assets = {request.image_uris, request.clip_uris, request.mask_uri, request.music_uri,
                 request.voice_uri};
  spec.footage_only = request.footage_only;
  spec.reuse = request.reuse;
  if (!request.footage_only) {
    spec.captions_plan = plan_captions(request, spec.target_duration_seconds, spec.output.fps);
  }
  spec.audio_plan = preset.audio;
  spec.transition = preset.transition;
  spec.constraints = {request.platform, zone->second, false};
  spec.style = {preset.caption_style, preset.motion_profile, preset.overlay_fx};
  if (spec.brand_safe) make_brand_safe(spec);

  const auto pattern = catalogue.defaults.segment_prompts.find(spec.archetype);
  const std::string prompt = pattern == catalogue.defaults.segment_prompts.end()
                                 ? request.prompt
                                 : fill_prompt(pattern->second, request.prompt);
  spec.segments = cut_segments(spec.target_duration_seconds, spec.segment_duration_seconds, prompt);
  return spec;
}

}  // namespace pytoon::plan
