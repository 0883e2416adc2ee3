#include "server/app/remote.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"

namespace pytoon::app {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kSqlite = "sqlite:///";

std::string value_of(const Environment& environment, const std::string& name,
                     const std::string& fallback) {
  const auto found = environment.find(name);
  return found == environment.end() || found->second.empty() ? fallback : found->second;
}

Result<std::string> find_key(const Environment& environment) {
  for (const char* name : {"PYTOON_API_KEY", "API_KEY"}) {
    const std::string key = value_of(environment, name, "");
    if (!key.empty()) return key;
  }
  std::filesystem::path folder = "data";
  const std::string database = value_of(environment, "DB_URL", "");
  if (database.starts_with(kSqlite)) {
    folder = std::filesystem::path(database.substr(kSqlite.size())).parent_path();
  }
  Result<std::string> own = read_file(folder / "api_key");
  if (own) return own;
  return failure(FailureKind::kInvalid, "set PYTOON_API_KEY to a key of the server");
}

// A problem document, as one line for a person.
Failure refusal(const HttpAnswer& answer, const Json& body) {
  std::string detail = body.is_object() ? body.value("detail", std::string()) : std::string();
  if (detail.empty()) detail = "the server answered " + std::to_string(answer.status);
  if (body.is_object() && body.contains("errors") && body["errors"].is_array()) {
    for (const Json& error : body["errors"]) {
      detail += "\n  " + error.value("pointer", "") + ": " + error.value("detail", "");
    }
  }
  FailureKind kind = FailureKind::kConflict;
  if (answer.status == 401) {
    detail += " Set PYTOON_API_KEY to a key of this server.";
    kind = FailureKind::kUnauthorized;
  }
  if (const auto wait = answer.retry_after(); wait) {
    detail += " Try again in " + std::to_string(wait->count()) + " s.";
  }
  if (answer.status == 404) kind = FailureKind::kNotFound;
  if (answer.status == 503) kind = FailureKind::kUnavailable;
  return failure(kind, detail);
}

// A file moves for as long as it may, but not for ever without getting on.
HttpLimits limits_of_files() {
  HttpLimits limits;
  limits.total = std::chrono::hours(1);
  limits.least_bytes_per_second = 1024;
  return limits;
}

}  // namespace

std::string job_path(const std::string& id) { return "/api/v1/jobs/" + percent_encode(id); }

Result<Remote> Remote::from(const Environment& environment, HttpClient& client) {
  const std::string port = value_of(environment, "API_PORT", "8080");
  const std::string url = value_of(environment, "PYTOON_URL", "http://127.0.0.1:" + port);
  const Result<WebAddress> address = parse_web_address(url);
  if (!address) return failure(FailureKind::kInvalid, "PYTOON_URL: " + address.failure().detail);
  Result<std::string> key = find_key(environment);
  if (!key) return key.failure();
  return Remote(client, without_end_slashes(url), std::move(*key));
}

Result<Json> Remote::get(const std::string& path) const {
  HttpRequest request;
  request.url = path;
  return ask(std::move(request));
}

Result<Json> Remote::post(const std::string& path) const {
  HttpRequest request;
  request.method = "POST";
  request.url = path;
  request.body = std::string();
  return ask(std::move(request));
}

Result<Json> Remote::post(const std::string& path, const Json& body) const {
  HttpRequest request;
  request.method = "POST";
  request.url = path;
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = json_text(body);
  return ask(std::move(request));
}

Result<std::string> Remote::upload(const std::filesystem::path& file,
                                   const std::string& category) const {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return failure(FailureKind::kInvalid, "there is no such file");
  }
  HttpRequest request;
  request.method = "POST";
  request.url = "/api/v1/assets/upload";
  request.body =
      std::vector<FormPart>{{.name = "category", .value = category},
                            {.name = "file", .file = file, .file_name = file.filename().string()}};
  const Result<Json> asset = ask(std::move(request));
  if (!asset) return asset.failure();
  return asset->value("uri", std::string());
}

Status Remote::save(const std::string& path, const std::filesystem::path& to) const {
  HttpRequest request;
  request.url = path;
  request.save_to = to;
  const Result<HttpAnswer> answer = exchange(std::move(request));
  if (!answer) return answer.failure();
  return ok_status();
}

Result<HttpAnswer> Remote::exchange(HttpRequest request) const {
  const bool sends_files = std::holds_alternative<std::vector<FormPart>>(request.body);
  if (sends_files || request.save_to) request.limits = limits_of_files();
  request.limits.answer_bytes = request.save_to ? std::int64_t{1} << 40 : 64 << 20;
  request.url = url_ + request.url;
  request.headers.emplace_back("X-API-Key", key_);
  request.egress = EgressScope::kAny;
  Result<HttpAnswer> answer = client_->send(request, CancelToken());
  if (!answer) {
    Failure fault = answer.failure();
    fault.detail = "no answer from " + url_ + ": " + fault.detail;
    if (fault.kind == FailureKind::kUnavailable) {
      fault.detail += ": start it with pytoon serve, or set PYTOON_URL";
    }
    return fault;
  }
  if (!answer->ok()) return refusal(*answer, parse_json<Json>(answer->body));
  return answer;
}

Result<Json> Remote::ask(HttpRequest request) const {
  const Result<HttpAnswer> answer = exchange(std::move(request));
  if (!answer) return answer.failure();
  Json body = parse_json<Json>(answer->body);
  if (body.is_discarded()) {
    return failure(FailureKind::kBadResponse, url_ + " answered something that is no JSON");
  }
  return body;
}

}  // namespace pytoon::app
