// A frame of a video that nobody has asked for yet.
#include <charconv>

#include "server/http/routes.h"
#include "server/http/strict_json.h"

namespace pytoon::http {
namespace {

// ?at_seconds=1.5: of the video; 0 when it is absent, the last frame when it is beyond the end.
Result<double> read_moment(const Query& parameters) {
  const auto found = parameters.find("at_seconds");
  if (found == parameters.end()) return 0.0;
  const std::string& text = found->second;
  double seconds = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, seconds, std::chars_format::fixed);
  if (error != std::errc() || at != end || !(seconds >= 0 && seconds <= 60)) {
    return invalid_field("/at_seconds", "must be a number from 0 to 60");
  }
  return seconds;
}

Result<Response> preview(jobs::Service& service, const Request& request) {
  const Result<double> at_seconds = read_moment(request.query);
  if (!at_seconds) return at_seconds.failure();
  const auto body = parse_strict_json(request.body);
  if (!body) return body.failure();
  Result<std::string> jpeg = service.preview(request.caller, *body, *at_seconds);
  if (!jpeg) return jpeg.failure();
  return Response{
      200, {{"Content-Type", "image/jpeg"}, {"Cache-Control", "no-store"}}, std::move(*jpeg)};
}

}  // namespace

std::vector<Route> preview_routes(jobs::Service& service) {
  return {{Method::kPost, "/api/v1/preview", Scope::kSubmit, BodyKind::kJson, Purpose::kPreview,
           [&service](const Request& request) { return preview(service, request); }}};
}

}  // namespace pytoon::http
