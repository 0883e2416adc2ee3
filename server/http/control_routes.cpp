// Changing what runs: life-cycle of jobs, and the operators' part under /api/v1/admin.
#include <nlohmann/json.hpp>

#include "server/http/routes.h"
#include "server/http/strict_json.h"

namespace pytoon::http {
namespace {

using jobs::Service;

constexpr const char* kDefaultError = "failed by an operator";

Result<Response> shown(const Result<jobs::Job>& job, int status = 200) {
  if (!job) return job.failure();
  return json_response(status, jobs::to_json(*job));
}

Result<Response> cancel(Service& service, const Request& request) {
  return shown(service.cancel(request.caller, request.id()));
}

Result<Response> retry(Service& service, const Request& request) {
  return shown(service.retry(request.caller, request.id()));
}

// 202: it will be sent, by whichever process sends webhooks.
Result<Response> redeliver(Service& service, const Request& request) {
  return shown(service.redeliver(request.caller, request.id()), 202);
}

// Of a body that is {"field": "text"} or {}: then `absent`.
Result<std::string> read_text(const std::string& body, const std::string& field,
                              const std::string& absent) {
  const auto json = parse_strict_object(body);
  if (!json) return json.failure();
  for (const auto& [name, value] : json->items()) {
    if (name != field) return invalid_field("/" + name, "is no field of this request");
    if (!value.is_string()) return invalid_field("/" + name, "must be a text");
  }
  return json->value(field, absent);
}

Result<Response> force_fail(Service& service, const Request& request) {
  const auto error = request.body.empty() ? Result<std::string>(std::string(kDefaultError))
                                          : read_text(request.body, "error", kDefaultError);
  if (!error) return error.failure();
  return shown(service.force_fail(request.caller, request.id(), *error));
}

Result<Response> set_draining(Service& service, const Request& request, bool draining) {
  if (Status set = service.set_draining(request.caller, draining); !set) return set.failure();
  return json_response(200, {{"draining", draining}});
}

Result<Response> drain(Service& service, const Request& request) {
  return set_draining(service, request, true);
}

Result<Response> resume(Service& service, const Request& request) {
  return set_draining(service, request, false);
}

Result<Response> erase(Service& service, const Request& request) {
  const Status gone = service.delete_job(request.caller, request.id());
  if (!gone) return gone.failure();
  return Response{204, {}, std::string()};
}

Result<Response> purge(Service& service, const Request& request) {
  const auto tenant = read_text(request.body, "tenant", "");
  if (!tenant) return tenant.failure();
  const auto purged = service.purge_tenant(request.caller, *tenant);
  if (!purged) return purged.failure();
  return json_response(200, jobs::to_json(*purged));
}

Result<Response> capacity(Service& service, const Request& request) {
  const auto there = service.capacity(request.caller);
  if (!there) return there.failure();
  return json_response(200, jobs::to_json(*there));
}

}  // namespace

std::vector<Route> control_routes(Service& service) {
  const auto row = [&service](Method method, std::string pattern, Scope scope, Step step,
                              BodyKind body = BodyKind::kNone) {
    return Route{method,
                 std::move(pattern),
                 scope,
                 body,
                 scope == Scope::kAdmin ? Purpose::kOperators : Purpose::kApi,
                 with(service, step)};
  };
  return {
      row(Method::kPost, "/api/v1/jobs/{id}/cancel", Scope::kSubmit, cancel),
      row(Method::kPost, "/api/v1/jobs/{id}/retry", Scope::kSubmit, retry),
      row(Method::kPost, "/api/v1/jobs/{id}/webhook/redeliver", Scope::kSubmit, redeliver),
      row(Method::kPost, "/api/v1/admin/jobs/{id}/fail", Scope::kAdmin, force_fail,
          BodyKind::kMaybeJson),
      row(Method::kDelete, "/api/v1/jobs/{id}", Scope::kSubmit, erase),
      row(Method::kPost, "/api/v1/admin/purge", Scope::kAdmin, purge, BodyKind::kJson),
      row(Method::kPost, "/api/v1/admin/drain", Scope::kAdmin, drain),
      row(Method::kPost, "/api/v1/admin/resume", Scope::kAdmin, resume),
      row(Method::kGet, "/api/v1/admin/capacity", Scope::kAdmin, capacity),
  };
}

}  // namespace pytoon::http
