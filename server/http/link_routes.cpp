// Links to a job's files and to uploads that work without a key, for a while: for players, mail and
// other people's programs.
#include <nlohmann/json.hpp>

#include "pipeline/spec/job_request.h"
#include "server/http/routes.h"
#include "server/http/strict_json.h"

namespace pytoon::http {
namespace {

constexpr std::int64_t kLinkLifeSeconds = 3600;

// The body is {"expires_in_seconds": n}, or none; for an asset it also has its "uri".
struct LinkOrder {
  std::int64_t life_seconds = kLinkLifeSeconds;
  std::string uri;
};

Result<LinkOrder> read_order(const std::string& body, bool of_asset) {
  LinkOrder order;
  if (body.empty()) return order;
  const auto json = parse_strict_object(body);
  if (!json) return json.failure();
  for (const auto& [name, value] : json->items()) {
    if (name == "expires_in_seconds") {
      const bool whole = value.is_number_integer() && value >= 1 && value <= kLinkLifeMax.count();
      if (!whole) return invalid_field("/" + name, "must be a whole number from 1 to 604800");
      order.life_seconds = value.get<std::int64_t>();
    } else if (of_asset && name == "uri") {
      if (!value.is_string()) return invalid_field("/uri", "must be a text");
      order.uri = value.get<std::string>();
    } else {
      return invalid_field("/" + name, "is no field of this request");
    }
  }
  return order;
}

// What signs links for the caller, all with one end.
class LinkMaker {
 public:
  LinkMaker(const Credentials& credentials, const Request& request, std::int64_t life_seconds)
      : credentials_(credentials),
        tag_(request.key_tag),
        expires_at_(credentials.now_seconds() + life_seconds) {}

  std::string operator()(const std::string& path) const {
    return credentials_.link_to(path, tag_, expires_at_);
  }
  std::string expires_at() const { return iso8601(WallTime(std::chrono::seconds(expires_at_))); }

 private:
  const Credentials& credentials_;
  const std::string tag_;
  const std::int64_t expires_at_;
};

Result<Response> link_job(jobs::Service& service, const Credentials& credentials,
                          const Request& request) {
  const auto order = read_order(request.body, false);
  if (!order) return order.failure();
  const auto job = service.job(request.caller, request.id());
  if (!job) return job.failure();
  const LinkMaker link(credentials, request, order->life_seconds);
  const std::string path = "/api/v1/jobs/" + request.id();
  return json_response(201, {{"expires_at", link.expires_at()},
                             {"output", link(path + "/output")},
                             {"thumbnail", link(path + "/thumbnail")}});
}

Result<Response> link_asset(jobs::Service& service, const Credentials& credentials,
                            const Request& request) {
  const auto order = read_order(request.body, true);
  if (!order) return order.failure();
  if (!spec::is_storage_uri(order->uri)) {
    return invalid_field("/uri", "must be a storage:// URI that an upload gave");
  }
  const auto asset = service.asset(request.caller, spec::storage_key(order->uri));
  if (!asset) return asset.failure();
  const LinkMaker link(credentials, request, order->life_seconds);
  return json_response(
      201, {{"expires_at", link.expires_at()}, {"content", link("/api/v1/assets/" + asset->key)}});
}

}  // namespace

std::vector<Route> link_routes(jobs::Service& service, const Credentials& credentials) {
  return {
      {Method::kPost, "/api/v1/jobs/{id}/links", Scope::kRead, BodyKind::kMaybeJson, Purpose::kApi,
       [&service, &credentials](const Request& request) {
         return link_job(service, credentials, request);
       }},
      {Method::kPost, "/api/v1/assets/links", Scope::kRead, BodyKind::kJson, Purpose::kApi,
       [&service, &credentials](const Request& request) {
         return link_asset(service, credentials, request);
       }}};
}

}  // namespace pytoon::http
