#include "server/app/request_files.h"

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "pipeline/spec/job_request.h"

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

Status take_one(const fs::path& folder, const char* category, const TakeFile& take, json& value) {
  if (!value.is_string()) return ok_status();  // the request's own check names it
  const std::string named = value.get<std::string>();
  if (spec::is_storage_uri(named)) return ok_status();
  Result<std::string> uri = take(folder / named, category);
  if (!uri) {
    Failure fault = uri.failure();
    fault.detail = (folder / named).string() + ": " + fault.detail;
    return fault;
  }
  value = *uri;
  return ok_status();
}

Status take_all(const fs::path& folder, const TakeFile& take, json& body) {
  for (const auto& [field, category] : {std::pair{"image_uris", "image"}, {"clip_uris", "video"}}) {
    const auto list = body.find(field);
    if (list == body.end() || !list->is_array()) continue;
    for (json& file : *list) {
      if (Status taken = take_one(folder, category, take, file); !taken) return taken;
    }
  }
  const std::pair<const char*, const char*> single[] = {
      {"mask_uri", "mask"}, {"music_uri", "audio"}, {"voice_uri", "audio"}};
  for (const auto& [field, category] : single) {
    const auto named = body.find(field);
    if (named == body.end()) continue;
    if (Status taken = take_one(folder, category, take, *named); !taken) return taken;
  }
  return ok_status();
}

}  // namespace

Result<json> read_request_with_files(const fs::path& file, const TakeFile& take) {
  Result<json> body = read_request(file);
  if (!body) return body;
  if (Status taken = take_all(file.parent_path(), take, *body); !taken) return taken.failure();
  return body;
}

}  // namespace pytoon::app
