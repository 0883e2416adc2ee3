// What a client asks for: the body of POST /api/v1/jobs, parsed and checked field by field. Parsing
// finds all faults at once, each with a JSON pointer. It does not know whether assets exist, nor
// what a preset or platform of that name would be: the planner does. What is left out is nullopt or
// "", and is decided by the preset or the operator's defaults.
//
// Thread rule: values. Microseconds; opens no file.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/spec/names.h"

namespace pytoon::spec {

// What is written on the video, UTF-8, at most kMaxCaptionBytes each; '\n' breaks a line.
struct Captions {
  std::string hook;                // the first; "" is none
  std::vector<std::string> beats;  // those between, in order
  std::string cta;                 // the last, the call to action; "" is none
};

struct JobRequest {
  std::string preset_id;
  std::string prompt;  // for generated footage, and the caption where none is given
  std::optional<int> target_duration_seconds;  // 1..60
  std::optional<bool> brand_safe;
  std::optional<EnginePolicy> engine_policy;
  std::optional<Archetype> archetype;
  std::optional<Quality> quality;
  std::vector<std::string> image_uris;  // storage://key, one a segment, in turn
  std::vector<std::string> clip_uris;   // footage after the images
  std::optional<std::string> mask_uri;
  std::optional<std::string> music_uri;
  std::optional<std::string> voice_uri;
  std::optional<Captions> captions;
  std::string platform = "universal";  // of config/platforms.yaml: its safe zone
  std::optional<std::uint32_t> seed;   // the same seed, spec and build give the same video
  std::string webhook_url;             // http or https; "" is none
  // Made for another Pytoon that finishes it: no captions, no logo, no product of an overlay.
  bool footage_only = false;
  // Whether finished segments of the tenant's other jobs may be taken instead of drawn again.
  bool reuse = true;
  int priority = 5;  // 0 (last) .. 9 (first)
};

inline constexpr int kMaxImages = 20;
inline constexpr int kMaxClips = 20;
inline constexpr int kMaxBeats = 20;
inline constexpr int kMaxCaptionBytes = 1000;
inline constexpr int kMaxPromptBytes = 4000;

// URIs are taken as they stand; is_storage_uri says whether one has the form storage://key.
Result<JobRequest> parse_job_request(const nlohmann::json& body);
bool is_storage_uri(const std::string& uri);
// The key of a storage URI: its part after "storage://".
std::string storage_key(const std::string& uri);

}  // namespace pytoon::spec
