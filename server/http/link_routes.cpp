// Links to a job's files that work without a key, for a while: for players, mail and other people's
// programs.
#include <nlohmann/json.hpp>

#include "server/http/routes.h"
#include "server/http/strict_json.h"

namespace pytoon::http {
namespace {

constexpr std::int64_t kLinkLifeSeconds = 3600;

// The body is {"expires_in_seconds": n}, or none.
Result<std::int64_t> read_life(const std::string& body) {
  if (body.empty()) return kLinkLifeSeconds;
  const auto json = parse_strict_object(body);
  if (!json) return json.failure();
  for (const auto& [name, value] : json->items()) {
    if (name != "expires_in_seconds") {
      return invalid_field("/" + name, "is no field of this request");
    }
    const bool whole = value.is_number_integer() && value >= 1 && value <= kLinkLifeMax.count();
    if (!whole) return invalid_field("/" + name, "must be a whole number from 1 to 604800");
  }
  return json->value("expires_in_seconds", kLinkLifeSeconds);
}

Result<Response> make_links(jobs::Service& service, const Credentials& credentials,
                            const Request& request) {
  const auto life_seconds = read_life(request.body);
  if (!life_seconds) return life_seconds.failure();
  const auto job = service.job(request.caller, request.id());
  if (!job) return job.failure();
  const std::int64_t expires_at = credentials.now_seconds() + *life_seconds;
  const auto link = [&](const char* file) {
    return credentials.link_to("/api/v1/jobs/" + request.id() + file, request.key_tag, expires_at);
  };
  return json_response(201, {{"expires_at", iso8601(WallTime(std::chrono::seconds(expires_at)))},
                             {"output", link("/output")},
                             {"thumbnail", link("/thumbnail")}});
}

}  // namespace

std::vector<Route> link_routes(jobs::Service& service, const Credentials& credentials) {
  return {{Method::kPost, "/api/v1/jobs/{id}/links", Scope::kRead, BodyKind::kMaybeJson,
           Purpose::kApi, [&service, &credentials](const Request& request) {
             return make_links(service, credentials, request);
           }}};
}

}  // namespace pytoon::http
