#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "server/http/routes.h"

namespace pytoon::http {
namespace {

nlohmann::ordered_json to_json(const jobs::Asset& asset) {
  nlohmann::ordered_json json{
      {"uri", asset.uri}, {"key", asset.key}, {"size", asset.size}, {"sha256", asset.sha256}};
  const media::MediaInfo& media = asset.media;
  if (media.size.width > 0) json["width"] = media.size.width;
  if (media.size.height > 0) json["height"] = media.size.height;
  if (media.duration_seconds > 0) {
    json["duration_seconds"] = in_thousandths(media.duration_seconds);
  }
  if (media.channels > 0) json["channels"] = media.channels;
  if (media.sample_rate > 0) json["sample_rate"] = media.sample_rate;
  return json;
}

Result<Response> upload(jobs::Service& service, const Request& request) {
  const UploadForm& form = *request.form;
  if (!form.file()) return invalid_field("/file", "The form must have a part 'file'.");
  if (!form.category()) return invalid_field("/category", "The form must have a part 'category'.");
  const auto asset = service.keep_asset(
      request.caller, {form.file()->path(), *form.category(), form.client_name()});
  if (!asset) return asset.failure();
  return json_response(201, to_json(*asset));
}

}  // namespace

std::vector<Route> asset_routes(jobs::Service& service) {
  const auto post = [&service](const Request& request) { return upload(service, request); };
  return {{Method::kPost, "/api/v1/assets/upload", Scope::kSubmit, BodyKind::kUpload,
           Purpose::kUpload, post}};
}

}  // namespace pytoon::http
