#include "server/http/cors.h"

#include <algorithm>

#include "base/text.h"

namespace pytoon::http {
namespace {

constexpr const char* kAsked =
    "X-API-Key, Content-Type, Idempotency-Key, Last-Event-ID, Range, If-Range, If-None-Match, "
    "traceparent";
constexpr const char* kShown =
    "Location, Idempotency-Replayed, Retry-After, RateLimit, RateLimit-Policy, ETag, "
    "Accept-Ranges, Content-Range";
constexpr const char* kPreflightSeconds = "600";

// As browsers write it (RFC 6454): scheme://host[:port], in lower case, nothing after.
bool is_origin(std::string_view text) {
  const std::string_view rest = text.starts_with("https://")  ? text.substr(8)
                                : text.starts_with("http://") ? text.substr(7)
                                                              : "";
  const auto fits = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') ||
           std::string_view(".-:[]").find(c) != std::string_view::npos;
  };
  return !rest.empty() && std::all_of(rest.begin(), rest.end(), fits);
}

}  // namespace

Result<CorsOrigins> CorsOrigins::parse(std::string_view text) {
  CorsOrigins cors;
  if (trim(text).empty()) return cors;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view origin = trim(part);
    if (!is_origin(origin)) {
      return failure(FailureKind::kInvalid,
                     "'" + std::string(origin) + "' is no origin such as https://app.example.com");
    }
    cors.origins_.emplace_back(origin);
  }
  return cors;
}

bool CorsOrigins::allows(const RequestHead& head) const {
  const auto origin = head.header("origin");
  const bool listed =
      origin && std::find(origins_.begin(), origins_.end(), *origin) != origins_.end();
  return listed && head.path != "/session";
}

std::vector<Header> CorsOrigins::headers_for(const RequestHead& head) const {
  if (origins_.empty()) return {};
  // Caches must not hand one origin's answer to another.
  std::vector<Header> headers{{"Vary", "Origin"}};
  if (allows(head)) {
    headers.push_back({"Access-Control-Allow-Origin", std::string(*head.header("origin"))});
    headers.push_back({"Access-Control-Expose-Headers", kShown});
  }
  return headers;
}

bool CorsOrigins::is_preflight(const RequestHead& head) const {
  return head.method == Method::kOptions && head.header("access-control-request-method") &&
         allows(head);
}

Response CorsOrigins::preflight_answer(const std::string& allow) {
  return Response{204,
                  {{"Access-Control-Allow-Methods", allow},
                   {"Access-Control-Allow-Headers", kAsked},
                   {"Access-Control-Max-Age", kPreflightSeconds}},
                  std::string()};
}

}  // namespace pytoon::http
