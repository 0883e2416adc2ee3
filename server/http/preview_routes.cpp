// Frames of a video that nobody has asked for yet.
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/http/routes.h"
#include "server/http/strict_json.h"

namespace pytoon::http {
namespace {

constexpr int kFramesMax = 12;  // drawing them must not hold up the next request for long

// A number of the query; `absent` where it is not there.
Result<double> read_number(const Query& parameters, const std::string& name, double absent) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return absent;
  const std::string& text = found->second;
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc() || at != end || !(number >= 0 && number <= 60)) {
    return invalid_field("/" + name, "must be a number from 0 to 60");
  }
  return number;
}

// ?at_seconds=1.5&frames=12&step_seconds=0.25: of the video. One frame, its first, when nothing is
// said; its last for what lies beyond the end.
Result<jobs::PreviewMoments> read_moments(const Query& parameters) {
  jobs::PreviewMoments moments;
  const Result<double> first = read_number(parameters, "at_seconds", 0);
  if (!first) return first.failure();
  const Result<double> step = read_number(parameters, "step_seconds", 0.5);
  if (!step) return step.failure();
  moments.first_seconds = *first;
  moments.step_seconds = *step;
  if (const auto found = parameters.find("frames"); found != parameters.end()) {
    const auto count = decimal(found->second);
    if (!count || *count < 1 || *count > kFramesMax) {
      return invalid_field("/frames", "must be a whole number from 1 to 12");
    }
    moments.count = static_cast<int>(*count);
  }
  return moments;
}

Result<Response> preview(jobs::Service& service, const Request& request) {
  const Result<jobs::PreviewMoments> moments = read_moments(request.query);
  if (!moments) return moments.failure();
  const auto body = parse_strict_json(request.body);
  if (!body) return body.failure();
  Result<std::string> jpeg = service.preview(request.caller, *body, *moments);
  if (!jpeg) return jpeg.failure();
  return Response{
      200, {{"Content-Type", "image/jpeg"}, {"Cache-Control", "no-store"}}, std::move(*jpeg)};
}

}  // namespace

std::vector<Route> preview_routes(jobs::Service& service) {
  return {{Method::kPost, "/api/v1/preview", Scope::kSubmit, BodyKind::kJson, Purpose::kPreview,
           with(service, preview)}};
}

}  // namespace pytoon::http
