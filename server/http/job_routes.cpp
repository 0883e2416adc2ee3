#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/http/file_response.h"
#include "server/http/job_events.h"
#include "server/http/routes.h"
#include "server/http/strict_json.h"

namespace pytoon::http {
namespace {

using jobs::Service;
using Json = nlohmann::ordered_json;

constexpr int kListLimitMax = 200;
constexpr std::size_t kIdempotencyKeyBytesMax = 255;

// ?dry_run=true asks what would become of the job; absent or false, it is taken.
Result<bool> is_dry_run(const Query& parameters) {
  const auto found = parameters.find("dry_run");
  if (found == parameters.end() || found->second == "false") return false;
  if (found->second == "true") return true;
  return invalid_field("/dry_run", "dry_run is true or false.");
}

// A full queue is the only thing of which a retry later is told by the queue itself.
Result<Response> refused(Service& service, const Failure& failure) {
  if (failure.kind != FailureKind::kRateLimited) return failure;
  Problem problem = problem_of(failure);
  problem.retry_after_seconds = static_cast<int>(service.retry_after().count());
  return problem_response(problem);
}

Result<Response> submit(Service& service, const Request& request) {
  const Result<bool> dry_run = is_dry_run(request.query);
  if (!dry_run) return dry_run.failure();
  const std::string key(request.head.header("idempotency-key").value_or(""));
  const bool visible =
      std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!visible || key.size() > kIdempotencyKeyBytesMax) {
    return failure(FailureKind::kMalformed,
                   "Idempotency-Key must be at most 255 visible ASCII characters.");
  }
  const auto body = parse_strict_json(request.body);
  if (!body) return body.failure();
  if (*dry_run) {
    const auto estimate = service.estimate(request.caller, *body);
    if (!estimate) return refused(service, estimate.failure());
    return json_response(200, jobs::to_json(*estimate));
  }
  const auto submitted = service.submit(request.caller, *body, key);
  if (!submitted) return refused(service, submitted.failure());
  Response response = json_response(
      201,
      {{"job_id", submitted->job_id}, {"status", "QUEUED"}, {"segments", submitted->segments}});
  response.headers.push_back({"Location", "/api/v1/jobs/" + submitted->job_id});
  if (submitted->replayed) response.headers.push_back({"Idempotency-Replayed", "true"});
  return response;
}

Result<int> read_limit(const Query& parameters, int absent) {
  const auto found = parameters.find("limit");
  if (found == parameters.end()) return absent;
  const auto limit = decimal(found->second);
  if (limit && *limit >= 1 && *limit <= kListLimitMax) return static_cast<int>(*limit);
  return invalid_field("/limit", "The limit is a whole number from 1 to 200.");
}

Result<jobs::ListQuery> read_list_query(const Query& parameters) {
  jobs::ListQuery query;
  if (const auto found = parameters.find("status"); found != parameters.end()) {
    query.status = jobs::job_status_from_name(found->second);
    if (!query.status) return invalid_field("/status", "There is no such status.");
  }
  if (const auto found = parameters.find("cursor"); found != parameters.end()) {
    query.cursor = found->second;
    if (query.cursor.size() > 512)
      return invalid_field("/cursor", "This is not one of our cursors.");
  }
  const Result<int> limit = read_limit(parameters, query.limit);
  if (!limit) return limit.failure();
  query.limit = *limit;
  return query;
}

Result<Response> list(Service& service, const Request& request) {
  const auto query = read_list_query(request.query);
  if (!query) return query.failure();
  const auto page = service.list(request.caller, *query);
  if (!page) return page.failure();
  Json rows = Json::array();
  for (const jobs::Job& job : page->jobs) rows.push_back(jobs::to_json(job));
  const Json next = page->next_cursor.empty() ? Json(nullptr) : Json(page->next_cursor);
  return json_response(200, {{"jobs", std::move(rows)}, {"next_cursor", next}});
}

Result<Response> show(Service& service, const Request& request) {
  const auto job = service.job(request.caller, request.id());
  if (!job) return job.failure();
  return json_response(200, jobs::to_json(*job));
}

Result<Response> segments(Service& service, const Request& request) {
  const auto found = service.segments(request.caller, request.id());
  if (!found) return found.failure();
  return json_response(200, jobs::to_json(request.id(), *found));
}

Result<Response> usage(Service& service, const Request& request) {
  const auto used = service.usage(request.caller);
  if (!used) return used.failure();
  return json_response(200, jobs::to_json(*used));
}

Result<Response> shown(const Result<std::vector<jobs::Delivery>>& found) {
  if (!found) return found.failure();
  Json rows = Json::array();
  for (const jobs::Delivery& delivery : *found) rows.push_back(jobs::to_json(delivery));
  return json_response(200, {{"deliveries", std::move(rows)}});
}

Result<Response> deliveries(Service& service, const Request& request) {
  return shown(service.deliveries(request.caller, {.job_id = request.id()}));
}

Result<Response> all_deliveries(Service& service, const Request& request) {
  jobs::DeliveryQuery query;
  if (const auto found = request.query.find("state"); found != request.query.end()) {
    query.state = jobs::delivery_state_from_name(found->second);
    if (!query.state) return invalid_field("/state", "There is no such state.");
  }
  const Result<int> limit = read_limit(request.query, query.limit);
  if (!limit) return limit.failure();
  query.limit = *limit;
  return shown(service.deliveries(request.caller, query));
}

Result<Response> render_spec(Service& service, const Request& request) {
  const auto job = service.job(request.caller, request.id());
  if (!job) return job.failure();
  return json_response(200, spec::to_json(job->spec));
}

Result<Response> events(Service& service, JobFeed& feed, const Request& request) {
  const auto job = service.job(request.caller, request.id());
  if (!job) return job.failure();
  return event_response(feed, request.caller, *job,
                        request.head.header("last-event-id").value_or(""));
}

Result<Response> send_file(const Request& request, const Result<jobs::Artifact>& artifact) {
  if (!artifact) return artifact.failure();
  return file_response(request.head, *artifact);
}

}  // namespace

std::vector<Route> job_routes(Service& service) {
  const auto get = [](std::string pattern, Handler handler, Purpose purpose = Purpose::kApi) {
    return Route{Method::kGet, std::move(pattern), Scope::kRead, BodyKind::kNone,
                 purpose,      std::move(handler)};
  };
  const auto file = [&get](std::string pattern, Handler handler) {
    Route route = get(std::move(pattern), std::move(handler), Purpose::kDownload);
    route.linkable = true;
    return route;
  };
  const auto feed = std::make_shared<JobFeed>(service);
  return {
      get(
          "/api/v1/presets",
          [&service](const Request&) -> Result<Response> {
            return json_response(200, service.presets());
          },
          Purpose::kImmediate),
      get("/api/v1/usage", with(service, usage)),
      get(
          "/api/v1/platforms",
          [&service](const Request&) -> Result<Response> {
            return json_response(200, service.platforms());
          },
          Purpose::kImmediate),
      {Method::kPost, "/api/v1/jobs", Scope::kSubmit, BodyKind::kJson, Purpose::kApi,
       with(service, submit)},
      get("/api/v1/jobs", with(service, list)),
      get("/api/v1/jobs/{id}", with(service, show)),
      get("/api/v1/jobs/{id}/segments", with(service, segments)),
      get("/api/v1/jobs/{id}/spec", with(service, render_spec)),
      get("/api/v1/jobs/{id}/webhook", with(service, deliveries)),
      {Method::kGet, "/api/v1/admin/webhooks", Scope::kAdmin, BodyKind::kNone, Purpose::kOperators,
       with(service, all_deliveries)},
      get("/api/v1/jobs/{id}/events",
          [&service, feed](const Request& request) { return events(service, *feed, request); }),
      file("/api/v1/jobs/{id}/output",
           [&service](const Request& request) {
             return send_file(request, service.output(request.caller, request.id()));
           }),
      file("/api/v1/jobs/{id}/thumbnail",
           [&service](const Request& request) {
             return send_file(request, service.thumbnail(request.caller, request.id()));
           }),
      get(
          "/api/v1/jobs/{id}/metadata",
          [&service](const Request& request) {
            return send_file(request, service.metadata(request.caller, request.id()));
          },
          Purpose::kDownload),
  };
}

}  // namespace pytoon::http
