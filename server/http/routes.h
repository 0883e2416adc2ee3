// All routes, in one table a file: operators' (no key), jobs', life-cycle, uploads', keys',
// previews', sessions', links'. A new route is a new row in one of them and a path in openapi.json;
// a test holds the two together.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/http/router.h"
#include "server/jobs/service.h"

namespace pytoon::http {

// What operators are told of this process; see Callbacks in http_server.h. Each may be empty.
struct ProcessReport {
  std::function<std::string()> metrics_text;
  std::function<std::optional<std::string>()> unusable;
};

// One request, answered with the service: a handler once the service is known.
using Step = Result<Response> (*)(jobs::Service&, const Request&);
inline Handler with(jobs::Service& service, Step step) {
  return [&service, step](const Request& request) { return step(service, request); };
}

// The service, the credentials and the flag outlive the routes.
std::vector<Route> operator_routes(jobs::Service& service, const std::atomic<bool>& draining,
                                   ProcessReport report);
std::vector<Route> job_routes(jobs::Service& service);
std::vector<Route> control_routes(jobs::Service& service);
std::vector<Route> asset_routes(jobs::Service& service);
std::vector<Route> key_routes(jobs::Service& service);
std::vector<Route> preview_routes(jobs::Service& service);
std::vector<Route> session_routes(Credentials& credentials);
std::vector<Route> link_routes(jobs::Service& service, const Credentials& credentials);

std::vector<Route> all_routes(jobs::Service& service, const std::atomic<bool>& draining,
                              Credentials& credentials, ProcessReport report);

}  // namespace pytoon::http
