// The single exchanges of a RemoteEngine.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "engines/remote/remote_engine.h"

namespace pytoon::engines {
namespace {

constexpr int kSubmitsMax = 4;
constexpr std::size_t kExcerptBytes = 200;
constexpr int kLeastBytesPerSecond = 10'000;
// Of the answer to an order that may have been taken or not.
constexpr int kServerError = 500;

// By content; uploads are checked for real by whoever made the asset.
std::string image_type(const std::string& bytes) {
  if (bytes.starts_with("\x89PNG")) return "image/png";
  if (bytes.starts_with("RIFF")) return "image/webp";
  return "image/jpeg";
}

Failure refusal(const std::string& what, const HttpAnswer& answer) {
  return failure(FailureKind::kEngine, what + " is answered " + std::to_string(answer.status) +
                                           ": " + excerpt_of(answer.body));
}

}  // namespace

std::string excerpt_of(const std::string& text) {
  std::string excerpt;
  for (const char c : text) {
    if (excerpt.size() >= kExcerptBytes) break;
    excerpt += c >= 0x20 && c < 0x7f ? c : ' ';
  }
  return excerpt;
}

std::string text_at(const Json& json, const std::string& pointer) {
  const Json::json_pointer at(pointer);
  if (pointer.empty() || !json.is_structured() || !json.contains(at)) return "";
  const Json& value = json.at(at);
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : json_text(value);
}

Result<HttpRequest> RemoteEngine::prepare(const Provider::Call& call, const Json& values,
                                          const Watch& watch) const {
  const Result<std::chrono::milliseconds> left = time_left(parts_.clock, watch, settings_.request);
  if (!left) return left.failure();
  Json encoded = values;  // an id from outside must not change the path's shape
  if (values["id"].is_string()) encoded["id"] = percent_encode(values["id"].get<std::string>());
  HttpRequest request;
  request.method = call.method;
  request.url = without_end_slashes(base_.url) + filled_text(call.path, encoded);
  request.egress = egress_;
  request.limits.total = *left;
  for (const auto& [name, value] : settings_.provider.headers) {
    const std::string text = filled_text(value, values);
    if (!text.empty()) request.headers.emplace_back(name, text);
  }
  if (!watch.traceparent.empty()) request.headers.emplace_back("traceparent", watch.traceparent);
  return request;
}

Result<HttpAnswer> RemoteEngine::ask(const Provider::Call& call, const Order& order) {
  Result<HttpRequest> request = prepare(call, order.values, order.watch);
  if (!request) return request.failure();
  Result<HttpAnswer> answer = parts_.http.send(*request, order.watch.cancel);
  if (!answer) return engine_fault(answer.failure());
  return answer;
}

// Fills the slot {{image}}.
Status RemoteEngine::give_image(Order& order) {
  const Provider& provider = settings_.provider;
  const bool wanted = order.request.image && provider.image != ImageDelivery::kNone &&
                      provider.capabilities.image_to_video;
  if (!wanted) return ok_status();
  if (provider.image != ImageDelivery::kUpload) {
    const Result<std::string> bytes = read_file(order.request.image->path);
    if (!bytes) return bytes.failure();
    const bool bare = provider.image == ImageDelivery::kBase64;
    order.values["image"] =
        (bare ? "" : "data:" + image_type(*bytes) + ";base64,") + base64(*bytes);
    return ok_status();
  }
  Result<HttpRequest> request = prepare(provider.upload->call, order.values, order.watch);
  if (!request) return request.failure();
  std::vector<FormPart> parts;
  for (const auto& [name, value] : provider.upload->fields) {
    parts.push_back({name, filled_text(value, order.values), {}, "", ""});
  }
  parts.push_back({provider.upload->file_field, "", order.request.image->path,
                   order.request.image->sha256, "application/octet-stream"});
  request->body = std::move(parts);
  const Result<HttpAnswer> answer = parts_.http.send(*request, order.watch.cancel);
  if (!answer) return engine_fault(answer.failure());
  if (!answer->ok()) return refusal("the image", *answer);
  const std::string image = text_at(parse_json<Json>(answer->body), provider.upload->image);
  if (image.empty()) return refusal("the image", *answer);
  order.values["image"] = image;
  return ok_status();
}

// Sends the order until it is taken or refused. Only an order with an idempotency key is sent again
// when nobody knows whether it arrived.
Result<std::string> RemoteEngine::submit(const Order& order, bool& surely_unpaid) {
  const Provider::Submit& submit = settings_.provider.submit;
  const bool repeatable = !submit.idempotency_header.empty();
  Backoff backoff(settings_.backoff, seed_from(order.key));
  for (int tries = 1;; ++tries) {
    Result<HttpRequest> request = prepare(submit.call, order.values, order.watch);
    if (!request) return request.failure();
    request->body = json_text(filled(submit.json, order.values));
    request->headers.emplace_back("Content-Type", "application/json");
    if (repeatable) {
      request->headers.emplace_back(submit.idempotency_header,
                                    order.values["idempotency_key"].get<std::string>());
    }
    const Result<HttpAnswer> answer = parts_.http.send(*request, order.watch.cancel);
    if (answer && answer->ok()) {
      surely_unpaid = false;
      const std::string id = text_at(parse_json<Json>(answer->body), submit.id);
      if (!id.empty()) return id;
      return refusal("the order", *answer);
    }
    const bool sent = answer || (answer.failure().kind != FailureKind::kUnavailable &&
                                 answer.failure().kind != FailureKind::kInvalid);
    const bool refused = answer && answer->status < kServerError;
    const bool busy = answer && (answer->status == 429 || answer->status == 503);
    if (sent && !refused && !busy) surely_unpaid = false;
    const Failure failed = answer ? refusal("the order", *answer) : engine_fault(answer.failure());
    if (refused && !busy) return failed;
    const bool again = surely_unpaid || repeatable;
    const bool passing = answer || is_transport_failure(failed.kind);
    if (!again || !passing || tries >= kSubmitsMax) {
      return busy ? failure(FailureKind::kRateLimited, failed.detail) : failed;
    }
    const auto asked = answer ? answer->retry_after() : std::nullopt;
    const std::chrono::milliseconds wait = asked ? *asked : backoff.next();
    if (Status waited = pause(parts_.clock, order.watch, wait); !waited) return waited.failure();
  }
}

Result<std::string> RemoteEngine::video_link(const Order& order, const Json& answer) const {
  const Provider::Result& result = settings_.provider.result;
  if (!result.download.empty()) {
    const Result<HttpRequest> request =
        prepare({"GET", result.download}, order.values, order.watch);
    if (!request) return request.failure();
    return request->url;
  }
  const std::string link = text_at(answer, result.video);
  if (link.empty()) return failure(FailureKind::kEngine, "finished without a video");
  return link;
}

Status RemoteEngine::download(const std::string& link, const Order& order) {
  const Result<WebAddress> address = resolve_link(base_, link);
  if (!address) return engine_fault(address.failure());
  Result<HttpRequest> request = prepare({"GET", "/"}, order.values, order.watch);
  if (!request) return request.failure();
  if (address->origin != base_.origin) {
    request->headers.clear();  // our key is nobody else's business
    request->egress = EgressScope::kPublic;
  }
  const Result<std::chrono::milliseconds> left =
      time_left(parts_.clock, order.watch, std::chrono::hours(1));
  if (!left) return left.failure();
  request->url = address->url;
  request->limits.total = *left;
  request->limits.least_bytes_per_second = kLeastBytesPerSecond;
  request->limits.stall = settings_.stall;
  request->limits.answer_bytes = settings_.clip_bytes_max;
  request->save_to = order.request.output;
  const Result<HttpAnswer> answer = parts_.http.send(*request, order.watch.cancel);
  if (!answer) return engine_fault(answer.failure());
  if (!answer->ok()) return refusal("the download", *answer);
  return ok_status();
}

}  // namespace pytoon::engines
