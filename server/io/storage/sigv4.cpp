#include "server/io/storage/sigv4.h"

#include <algorithm>
#include <cstdio>

#include "base/hash.h"
#include "base/hmac.h"
#include "base/http_client.h"
#include "base/text.h"

namespace pytoon::io {
namespace {

constexpr const char* kAlgorithm = "AWS4-HMAC-SHA256";

// "20130524T000000Z"
std::string stamp(WallTime now) {
  const auto day = std::chrono::floor<std::chrono::days>(now);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
  std::string text(17, '\0');
  const int length = std::snprintf(
      text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::string scope_of(const std::string& when, const Credentials& credentials) {
  return when.substr(0, 8) + "/" + credentials.region + "/s3/aws4_request";
}

std::string names_of(const NamedValues& headers) {
  std::string names;
  for (const auto& [name, value] : headers) names += (names.empty() ? "" : ";") + name;
  return names;
}

// headers: sorted, host among them.
std::string signature(const SignedRequest& request, const std::string& query,
                      const NamedValues& headers, const std::string& body_sha256,
                      const Credentials& credentials, const std::string& when) {
  std::string canonical = request.method + "\n" + encoded_path(request.path) + "\n" + query + "\n";
  for (const auto& [name, value] : headers) canonical += name + ":" + value + "\n";
  canonical += "\n" + names_of(headers) + "\n" + body_sha256;
  const std::string to_sign = std::string(kAlgorithm) + "\n" + when + "\n" +
                              scope_of(when, credentials) + "\n" + sha256_hex(canonical);
  std::string key = hmac_sha256("AWS4" + credentials.secret, when.substr(0, 8));
  key = hmac_sha256(key, credentials.region);
  key = hmac_sha256(key, "s3");
  key = hmac_sha256(key, "aws4_request");
  return hex(hmac_sha256(key, to_sign));
}

}  // namespace

std::string encoded_path(const std::string& path) {
  std::string encoded;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    encoded += percent_encode(path.substr(at, slash - at));
    if (slash < path.size()) encoded += '/';
    at = slash + 1;
  }
  return encoded;
}

std::string encoded_query(NamedValues query) {
  for (auto& [name, value] : query) {
    name = percent_encode(name);
    value = percent_encode(value);
  }
  std::sort(query.begin(), query.end());
  std::string text;
  for (const auto& [name, value] : query) text += (text.empty() ? "" : "&") + name + "=" + value;
  return text;
}

NamedValues signed_headers(const SignedRequest& request, const Credentials& credentials,
                           WallTime now) {
  const std::string when = stamp(now);
  NamedValues sent = request.headers;
  sent.emplace_back("x-amz-date", when);
  sent.emplace_back("x-amz-content-sha256", request.body_sha256);
  NamedValues headers = sent;
  headers.emplace_back("host", request.host);
  std::sort(headers.begin(), headers.end());
  const std::string proof = signature(request, encoded_query(request.query), headers,
                                      request.body_sha256, credentials, when);
  sent.emplace_back("authorization", std::string(kAlgorithm) + " Credential=" + credentials.key_id +
                                         "/" + scope_of(when, credentials) + ",SignedHeaders=" +
                                         names_of(headers) + ",Signature=" + proof);
  return sent;
}

std::string presigned_query(const SignedRequest& request, const Credentials& credentials,
                            WallTime now, std::chrono::seconds valid_for) {
  const std::string when = stamp(now);
  NamedValues query = request.query;
  query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  query.emplace_back("X-Amz-Credential", credentials.key_id + "/" + scope_of(when, credentials));
  query.emplace_back("X-Amz-Date", when);
  query.emplace_back("X-Amz-Expires", std::to_string(valid_for.count()));
  query.emplace_back("X-Amz-SignedHeaders", "host");
  const std::string text = encoded_query(query);
  return text + "&X-Amz-Signature=" +
         signature(request, text, {{"host", request.host}}, "UNSIGNED-PAYLOAD", credentials, when);
}

}  // namespace pytoon::io
