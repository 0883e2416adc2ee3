#include "server/observe/span_exporter.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace pytoon::observe {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::milliseconds;

constexpr std::size_t kBatch = 512;
constexpr milliseconds kPatience{10'000};
constexpr milliseconds kGoodbye{1000};
constexpr std::size_t kSpanDigits = 16;

// Numbers of trace.proto.
constexpr int kSpanKindInternal = 1;
constexpr int kStatusOk = 1;
constexpr int kStatusError = 2;

std::string nanoseconds(WallTime time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

Json text_attribute(const char* key, const std::string& value) {
  return {{"key", key}, {"value", {{"stringValue", value}}}};
}

Json span_json(const jobs::Span& span) {
  Json json{{"traceId", span.trace.trace_id}, {"spanId", span.trace.span_id}};
  if (!span.parent_id.empty()) json["parentSpanId"] = span.parent_id;
  json["name"] = span.name;
  json["kind"] = kSpanKindInternal;
  json["startTimeUnixNano"] = nanoseconds(span.began);
  json["endTimeUnixNano"] = nanoseconds(std::max(span.began, span.ended));
  Json attributes = Json::array({text_attribute("pytoon.job_id", span.job_id)});
  if (span.segment) {
    attributes.push_back(
        {{"key", "pytoon.segment"}, {"value", {{"intValue", std::to_string(*span.segment)}}}});
  }
  json["attributes"] = std::move(attributes);
  json["status"] = {{"code", span.error.empty() ? kStatusOk : kStatusError}};
  if (!span.error.empty()) json["status"]["message"] = span.error;
  return json;
}

// What the specification calls retryable.
bool may_be_taken_later(const HttpAnswer& answer) {
  return answer.status == 429 || answer.status == 502 || answer.status == 503 ||
         answer.status == 504;
}

}  // namespace

std::string otlp_json(const std::vector<jobs::Span>& spans, const SpanExporterOptions& options) {
  Json list = Json::array();
  for (const jobs::Span& span : spans) list.push_back(span_json(span));
  const Json resource{
      {"attributes", Json::array({text_attribute("service.name", "pytoon"),
                                  text_attribute("service.version", options.version),
                                  text_attribute("service.instance.id", options.instance_id)})}};
  const Json scope{{"scope", {{"name", "pytoon"}, {"version", options.version}}},
                   {"spans", std::move(list)}};
  Json of_resource = Json::object();
  of_resource["resource"] = resource;
  of_resource["scopeSpans"] = Json::array({scope});
  Json request = Json::object();
  request["resourceSpans"] = Json::array({std::move(of_resource)});
  return json_text(request);
}

SpanExporter::SpanExporter(HttpClient& client, IdSource& ids, Log& log, SpanExporterOptions options)
    : client_(client), ids_(ids), log_(log), options_(std::move(options)) {}

void SpanExporter::ended(jobs::Span span) {
  if (!span.trace.sampled) return;
  if (span.trace.span_id.empty()) {
    span.trace.span_id = without_dashes(ids_.next()).substr(0, kSpanDigits);
  }
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= kSpansWaitingMax) {
    ++forgotten_;
    return;
  }
  queue_.push_back(std::move(span));
}

std::size_t SpanExporter::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

bool SpanExporter::step() {
  std::vector<jobs::Span> batch;
  {
    const std::lock_guard lock(mutex_);
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(std::min(queue_.size(), kBatch));
    batch.assign(queue_.begin(), end);
  }
  if (batch.empty() || cancel_.cancelled()) return false;
  if (!send(batch, kPatience, cancel_)) return false;
  const std::lock_guard lock(mutex_);
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(batch.size()));
  return !queue_.empty();
}

// True when they need not be sent again.
bool SpanExporter::send(const std::vector<jobs::Span>& batch, milliseconds limit,
                        const CancelToken& cancel) {
  HttpRequest request;
  request.method = "POST";
  request.url = options_.endpoint + "/v1/traces";
  request.headers = options_.headers;
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = otlp_json(batch, options_);
  request.egress = EgressScope::kAny;
  request.limits.total = limit;
  const Result<HttpAnswer> answer = client_.send(request, cancel);
  if (!answer) {
    tell(false, answer.failure().detail);
    return false;
  }
  if (may_be_taken_later(*answer)) {
    tell(false, "the collector answered " + std::to_string(answer->status));
    return false;
  }
  tell(answer->ok(), "the collector refused spans: " + std::to_string(answer->status));
  if (!answer->ok()) forgotten_ += batch.size();
  return true;
}

void SpanExporter::tell(bool reached, const std::string& reason) {
  if (missing_.exchange(!reached) == !reached) return;
  if (reached) {
    log_.info("spans_sent_again", {{"forgotten", forgotten_.load()}});
  } else {
    log_.warning("spans_wait", {{"reason", reason}});
  }
}

void SpanExporter::stop() { cancel_.cancel(); }

void SpanExporter::flush() {
  std::vector<jobs::Span> rest;
  {
    const std::lock_guard lock(mutex_);
    rest.assign(queue_.begin(), queue_.end());
    queue_.clear();
  }
  if (!rest.empty() && !send(rest, kGoodbye, CancelToken())) forgotten_ += rest.size();
}

}  // namespace pytoon::observe
