#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "server/http/file_response.h"
#include "server/http/routes.h"

namespace pytoon::http {
namespace {

using jobs::Service;

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

Result<Response> upload(Service& service, const Request& request) {
  const UploadForm& form = *request.form;
  if (!form.file()) return invalid_field("/file", "The form must have a part 'file'.");
  if (!form.category()) return invalid_field("/category", "The form must have a part 'category'.");
  const auto asset = service.keep_asset(
      request.caller, {form.file()->path(), *form.category(), form.client_name()});
  if (!asset) return asset.failure();
  return json_response(201, to_json(*asset));
}

// Bytes of strangers, shown by the browser only where it shows them as an image, a clip or sound.
// Should one take them for a document all the same, nothing in it runs.
Result<Response> content(Service& service, const Request& request) {
  const auto file = service.asset_file(request.caller, request.parameters.at("key"));
  if (!file) return file.failure();
  Result<Response> response = file_response(request.head, *file);
  if (!response) return response;
  const bool known = file->content_type != "application/octet-stream";
  response->headers.push_back({"Content-Disposition", known ? "inline" : "attachment"});
  response->headers.push_back({"Content-Security-Policy",
                               "default-src 'none'; img-src 'self'; media-src 'self'; style-src "
                               "'unsafe-inline'; sandbox"});
  return response;
}

Result<Response> erase(Service& service, const Request& request) {
  const Status gone = service.delete_asset(request.caller, request.parameters.at("key"));
  if (!gone) return gone.failure();
  return Response{204, {}, std::string()};
}

}  // namespace

std::vector<Route> asset_routes(Service& service) {
  const std::string one = "/api/v1/assets/{key}";
  return {{Method::kPost, "/api/v1/assets/upload", Scope::kSubmit, BodyKind::kUpload,
           Purpose::kUpload, with(service, upload)},
          {Method::kGet, one, Scope::kRead, BodyKind::kNone, Purpose::kDownload,
           with(service, content), true},
          {Method::kDelete, one, Scope::kSubmit, BodyKind::kNone, Purpose::kUpload,
           with(service, erase)}};
}

}  // namespace pytoon::http
