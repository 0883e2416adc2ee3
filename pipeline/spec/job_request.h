// What a client asks for: the body of POST /api/v1/jobs, parsed and checked field by field. Parsing
// finds all faults at once, each with a JSON pointer. It does not know whether assets exist.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/spec/names.h"

namespace pytoon::spec {

struct Captions {
  std::string hook;
  std::vector<std::string> beats;
  std::string cta;
};

struct JobRequest {
  std::string preset_id;
  std::string prompt;
  std::optional<int> target_duration_seconds;  // 1..60
  std::optional<bool> brand_safe;
  std::optional<EnginePolicy> engine_policy;
  std::optional<Archetype> archetype;
  std::vector<std::string> image_uris;
  std::vector<std::string> clip_uris;  // footage after the images
  std::optional<std::string> mask_uri;
  std::optional<std::string> music_uri;
  std::optional<std::string> voice_uri;
  std::optional<Captions> captions;
  std::string platform = "universal";
  std::optional<std::uint32_t> seed;
  std::string webhook_url;  // http or https; "" is none
  // Made for another Pytoon that finishes it: no captions, no logo, no product of an overlay.
  bool footage_only = false;
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
