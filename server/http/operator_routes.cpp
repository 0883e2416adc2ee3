#include <nlohmann/json.hpp>

#include "server/http/console.h"
#include "server/http/llms.h"
#include "server/http/openapi.h"
#include "server/http/routes.h"

namespace pytoon::http {
namespace {

using Json = nlohmann::ordered_json;

Response text_response(std::string content_type, std::string text) {
  return Response{200,
                  {{"Content-Type", std::move(content_type)}, {"Cache-Control", "no-store"}},
                  std::move(text)};
}

Response ready(jobs::Service& service, bool draining) {
  jobs::Service::Readiness readiness = service.readiness();
  if (draining) readiness.blocking.push_back("draining");
  Json answer{{"status", readiness.blocking.empty() ? "ready" : "not_ready"},
              {"degraded", readiness.degraded}};
  if (readiness.blocking.empty()) return json_response(200, answer);
  answer["blocking"] = readiness.blocking;
  Response response = json_response(503, answer);
  response.headers.push_back({"Retry-After", "5"});
  return response;
}

}  // namespace

std::vector<Route> operator_routes(jobs::Service& service, const std::atomic<bool>& draining,
                                   ProcessReport report) {
  const auto health = [unusable = std::move(report.unusable)](const Request&) -> Result<Response> {
    const std::optional<std::string> reason = unusable ? unusable() : std::nullopt;
    if (!reason) return json_response(200, {{"status", "ok"}});
    return json_response(503, {{"status", "unusable"}, {"reason", *reason}});
  };
  const auto readiness = [&service, &draining](const Request&) -> Result<Response> {
    return ready(service, draining);
  };
  const auto metrics = [metrics_text =
                            std::move(report.metrics_text)](const Request&) -> Result<Response> {
    return text_response("text/plain; version=0.0.4; charset=utf-8",
                         metrics_text ? metrics_text() : std::string());
  };
  const auto openapi = [](const Request&) -> Result<Response> {
    return text_response("application/json", openapi_document());
  };
  const auto llms = [](const Request&) -> Result<Response> {
    return text_response("text/plain; charset=utf-8", llms_text());
  };
  return {
      {Method::kGet, "/health", Scope::kOpen, BodyKind::kNone, Purpose::kImmediate, health},
      {Method::kGet, "/ready", Scope::kOpen, BodyKind::kNone, Purpose::kImmediate, readiness},
      {Method::kGet, "/metrics", Scope::kOpen, BodyKind::kNone, Purpose::kOperators, metrics},
      {Method::kGet, "/openapi.json", Scope::kOpen, BodyKind::kNone, Purpose::kImmediate, openapi},
      {Method::kGet, "/llms.txt", Scope::kOpen, BodyKind::kNone, Purpose::kImmediate, llms},
  };
}

std::vector<Route> all_routes(jobs::Service& service, const std::atomic<bool>& draining,
                              Credentials& credentials, ProcessReport report) {
  std::vector<Route> routes = operator_routes(service, draining, std::move(report));
  for (auto& more : {session_routes(credentials), job_routes(service), control_routes(service),
                     asset_routes(service), key_routes(service), link_routes(service, credentials),
                     console_routes(), preview_routes(service)}) {
    routes.insert(routes.end(), more.begin(), more.end());
  }
  return routes;
}

}  // namespace pytoon::http
