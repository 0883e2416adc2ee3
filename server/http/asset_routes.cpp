#include "server/http/routes.h"

namespace pytoon::http {
namespace {

nlohmann::ordered_json to_json(const jobs::Asset& asset) {
  nlohmann::ordered_json json{
      {"uri", asset.uri}, {"key", asset.key}, {"size", asset.size}, {"sha256", asset.sha256}};
  if (asset.width) json["width"] = *asset.width;
  if (asset.height) json["height"] = *asset.height;
  if (asset.duration_seconds) json["duration_seconds"] = *asset.duration_seconds;
  if (asset.channels) json["channels"] = *asset.channels;
  if (asset.sample_rate) json["sample_rate"] = *asset.sample_rate;
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
