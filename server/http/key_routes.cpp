// API keys under /api/v1/admin/keys, for operators: listed, made, rotated, revoked.
#include <nlohmann/json.hpp>

#include "pipeline/spec/field_reader.h"
#include "server/http/routes.h"
#include "server/http/strict_json.h"
#include "server/jobs/scopes.h"

namespace pytoon::http {
namespace {

using jobs::Service;
using Json = nlohmann::ordered_json;

constexpr std::size_t kTextBytesMax = 200;
constexpr std::int64_t kDaysMax = 3650;
constexpr std::int64_t kGraceSecondsMax = 30 * 86400;
constexpr std::chrono::hours kDay{24};

void read_scopes(spec::FieldReader& r, jobs::KeyOrder& order) {
  for (const std::string& scope : r.texts("scopes", 3, kTextBytesMax)) {
    if (!jobs::grant(order, scope)) r.fault("scopes", "must be of submit, read and admin");
  }
}

Result<jobs::KeyOrder> read_order(const std::string& body) {
  const auto object = parse_strict_object(body);
  if (!object) return object.failure();
  const Json json = *object;
  std::vector<FieldFault> faults;
  spec::FieldReader r(json, "", faults);
  jobs::KeyOrder order;
  order.tenant = r.text("tenant", 1, kTextBytesMax);
  read_scopes(r, order);
  if (r.has("name")) order.name = r.text("name", 0, kTextBytesMax);
  if (r.has("plan")) order.plan = r.text("plan", 1, kTextBytesMax);
  if (r.has("expires_in_days")) order.lifetime = kDay * r.whole("expires_in_days", 1, kDaysMax);
  r.finish();
  if (!faults.empty()) return spec::invalid(std::move(faults));
  return order;
}

// The body is {"grace_seconds": 3600}, or none: then the old key ends at once.
Result<std::chrono::seconds> read_grace(const std::string& body) {
  if (body.empty()) return std::chrono::seconds(0);
  const auto object = parse_strict_object(body);
  if (!object) return object.failure();
  const Json json = *object;
  std::vector<FieldFault> faults;
  spec::FieldReader r(json, "", faults);
  std::chrono::seconds grace{0};
  if (r.has("grace_seconds")) {
    grace = std::chrono::seconds(r.whole("grace_seconds", 0, kGraceSecondsMax));
  }
  r.finish();
  if (!faults.empty()) return spec::invalid(std::move(faults));
  return grace;
}

Result<Response> shown_once(const Result<jobs::NewKey>& made) {
  if (!made) return made.failure();
  Json answer = jobs::to_json(made->key);
  answer["key"] = made->secret;
  Response response = json_response(201, answer);
  response.headers.push_back({"Cache-Control", "no-store"});
  return response;
}

Result<Response> list_keys(Service& service, const Request& request) {
  const auto keys = service.api_keys(request.caller);
  if (!keys) return keys.failure();
  Json list = Json::array();
  for (const jobs::ApiKey& key : *keys) list.push_back(jobs::to_json(key));
  return json_response(200, {{"keys", std::move(list)}});
}

Result<Response> create_key(Service& service, const Request& request) {
  const auto order = read_order(request.body);
  if (!order) return order.failure();
  return shown_once(service.create_key(request.caller, *order));
}

Result<Response> rotate_key(Service& service, const Request& request) {
  const auto grace = read_grace(request.body);
  if (!grace) return grace.failure();
  return shown_once(service.rotate_key(request.caller, request.parameters.at("key_id"), *grace));
}

Result<Response> revoke_key(Service& service, const Request& request) {
  const auto key = service.revoke_key(request.caller, request.parameters.at("key_id"));
  if (!key) return key.failure();
  return json_response(200, jobs::to_json(*key));
}

}  // namespace

std::vector<Route> key_routes(Service& service) {
  const auto row = [&service](Method method, std::string pattern, BodyKind body, Step step) {
    return Route{method, std::move(pattern),  Scope::kAdmin,
                 body,   Purpose::kOperators, with(service, step)};
  };
  return {
      row(Method::kGet, "/api/v1/admin/keys", BodyKind::kNone, list_keys),
      row(Method::kPost, "/api/v1/admin/keys", BodyKind::kJson, create_key),
      row(Method::kPost, "/api/v1/admin/keys/{key_id}/rotate", BodyKind::kMaybeJson, rotate_key),
      row(Method::kPost, "/api/v1/admin/keys/{key_id}/revoke", BodyKind::kNone, revoke_key),
  };
}

}  // namespace pytoon::http
