#include "pipeline/spec/job_request.h"

#include <nlohmann/json.hpp>

#include "base/web_address.h"
#include "pipeline/spec/field_reader.h"

namespace pytoon::spec {

using Json = nlohmann::ordered_json;

namespace {

constexpr std::string_view kScheme = "storage://";
constexpr std::size_t kMaxUriBytes = 1024;
constexpr std::size_t kMaxWebhookBytes = 2048;

Captions read_captions(const Json& json, const std::string& pointer,
                       std::vector<FieldFault>& faults) {
  FieldReader r(json, pointer, faults);
  Captions captions;
  if (r.has("hook")) captions.hook = r.text("hook", 0, kMaxCaptionBytes);
  if (r.has("beats")) captions.beats = r.texts("beats", kMaxBeats, kMaxCaptionBytes);
  if (r.has("cta")) captions.cta = r.text("cta", 0, kMaxCaptionBytes);
  r.finish();
  return captions;
}

std::string read_webhook(FieldReader& r) {
  std::string url = r.text("webhook_url", 1, kMaxWebhookBytes);
  if (url.empty()) return url;  // named already
  const Result<WebAddress> address = parse_web_address(url);
  if (!address) r.fault("webhook_url", "is no web address: " + address.failure().detail);
  return url;
}

void read_look(FieldReader& r, JobRequest& request) {
  if (r.has("target_duration_seconds")) {
    request.target_duration_seconds = static_cast<int>(r.whole("target_duration_seconds", 1, 60));
  }
  if (r.has("brand_safe")) request.brand_safe = r.truth("brand_safe");
  if (r.has("engine_policy")) request.engine_policy = r.choice<EnginePolicy>("engine_policy");
  if (r.has("archetype")) request.archetype = r.choice<Archetype>("archetype");
  if (r.has("quality")) request.quality = r.choice<Quality>("quality");
  if (r.has("platform")) request.platform = r.text("platform", 1, 40);
  if (r.has("seed")) request.seed = static_cast<std::uint32_t>(r.whole("seed", 0, UINT32_MAX));
  if (r.has("footage_only")) request.footage_only = r.truth("footage_only");
  if (r.has("reuse")) request.reuse = r.truth("reuse");
  if (r.has("priority")) request.priority = static_cast<int>(r.whole("priority", 0, 9));
}

}  // namespace

Result<JobRequest> parse_job_request(const nlohmann::json& body) {
  const Json json = body;
  std::vector<FieldFault> faults;
  FieldReader r(json, "", faults);
  JobRequest request;
  request.preset_id = r.text("preset_id", 1, 60);
  if (r.has("prompt")) request.prompt = r.text("prompt", 0, kMaxPromptBytes);
  read_look(r, request);
  if (r.has("image_uris")) request.image_uris = r.texts("image_uris", kMaxImages, kMaxUriBytes);
  if (r.has("clip_uris")) request.clip_uris = r.texts("clip_uris", kMaxClips, kMaxUriBytes);
  if (r.has("mask_uri")) request.mask_uri = r.text("mask_uri", 1, kMaxUriBytes);
  if (r.has("music_uri")) request.music_uri = r.text("music_uri", 1, kMaxUriBytes);
  if (r.has("voice_uri")) request.voice_uri = r.text("voice_uri", 1, kMaxUriBytes);
  if (r.has("captions")) {
    if (const Json* captions = r.object("captions")) {
      request.captions = read_captions(*captions, "/captions", faults);
    }
  }
  if (r.has("webhook_url")) request.webhook_url = read_webhook(r);
  r.finish();
  if (!faults.empty()) return invalid(std::move(faults));
  return request;
}

bool is_storage_uri(const std::string& uri) {
  return uri.starts_with(kScheme) && uri.size() > kScheme.size();
}

std::string storage_key(const std::string& uri) { return uri.substr(kScheme.size()); }

}  // namespace pytoon::spec
