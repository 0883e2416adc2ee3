#include "server/app/local_request.h"

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

Result<json> read_request(const fs::path& file) {
  Result<std::string> text = read_file(file);
  if (!text) return text.failure();
  json body = parse_json<json>(*text);
  if (body.is_discarded() || !body.is_object()) {
    return failure(FailureKind::kMalformed, file.string() + " is not a JSON object");
  }
  return body;
}

// Gives its storage URI.
Result<std::string> take_in(Application& application, const fs::path& file,
                            const std::string& category) {
  const fs::path copy = application.storage().staging("upload");
  std::error_code error;
  fs::copy_file(file, copy, fs::copy_options::overwrite_existing, error);
  if (error) return failure(FailureKind::kInvalid, file.string() + ": " + error.message());
  Result<jobs::Asset> asset =
      application.service().keep_asset(local_owner(), {copy, category, file.filename().string()});
  if (!asset) {
    Failure fault = asset.failure();
    fault.detail = file.string() + ": " + fault.detail;
    return fault;
  }
  return asset->uri;
}

Status take_in_all(Application& application, const fs::path& folder, json& body) {
  const auto replace = [&](json& value, const char* category) -> Status {
    if (!value.is_string()) return ok_status();  // the request's own check names it
    Result<std::string> uri = take_in(application, folder / value.get<std::string>(), category);
    if (!uri) return uri.failure();
    value = *uri;
    return ok_status();
  };
  for (const auto& [field, category] : {std::pair{"image_uris", "image"}, {"clip_uris", "video"}}) {
    const auto list = body.find(field);
    if (list == body.end() || !list->is_array()) continue;
    for (json& file : *list) {
      const Status taken = replace(file, category);
      if (!taken) return taken;
    }
  }
  const std::pair<const char*, const char*> single[] = {
      {"mask_uri", "mask"}, {"music_uri", "audio"}, {"voice_uri", "audio"}};
  for (const auto& [field, category] : single) {
    const auto named = body.find(field);
    if (named == body.end()) continue;
    if (Status taken = replace(*named, category); !taken) return taken;
  }
  return ok_status();
}

}  // namespace

jobs::Caller local_owner() { return {"default", true, true, true}; }

Result<json> take_in_request(Application& application, const fs::path& file) {
  Result<json> body = read_request(file);
  if (!body) return body;
  const Status taken = take_in_all(application, file.parent_path(), *body);
  if (!taken) return taken.failure();
  return body;
}

}  // namespace pytoon::app
