// One HTTP exchange as a client: what to send, where it may go, how long it may take, how much may
// come back. Made for places that are slow, broken or hostile.
//
// Not followed unless asked: redirects. Never used: proxies, .netrc, cookies, compressed answers.
// Always: TLS certificates are verified; the address that is connected to is judged by the
// request's EgressScope, whatever the name resolved to, again for each redirect. Only a GET or HEAD
// is redirected; Authorization and X-API-Key do not go along to another origin.
//
// Thread rule: send() is safe from any thread. It blocks until the answer is whole, a limit is
// reached, or `cancel` is set (noticed within 100 ms).
// Errors: kInvalid (the URL, a forbidden address, a redirect too many), kCancelled, kUnavailable
// (not reached: nothing was sent), kTimeout and kBadResponse (sent, but no whole answer came: the
// other side may have acted), kTooLarge (the answer), kIo and kStorageFull (save_to).
// An answer of any status is an Answer, not a Failure. No detail repeats a URL's query.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/web_address.h"

namespace pytoon {

struct FormPart {
  std::string name;
  std::string value;           // the file's content when `file` is empty
  std::filesystem::path file;  // read from disk when not empty
  std::string file_name;       // makes it a file for the receiver
  std::string type;            // its Content-Type; "" leaves it out
};

using HttpBody =
    std::variant<std::monostate, std::string, std::filesystem::path, std::vector<FormPart>>;

struct HttpLimits {
  std::chrono::milliseconds connect{5000};
  std::chrono::milliseconds total{30'000};
  // Given up when fewer bytes a second than this moved for `stall`; 0 waits for `total`.
  int least_bytes_per_second = 0;
  std::chrono::seconds stall{15};
  std::int64_t answer_bytes = 1 << 20;
  int redirects = 0;
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  HttpBody body;
  EgressScope egress = EgressScope::kPublic;
  HttpLimits limits;
  // The body of a 2xx answer goes there, not into Answer::body. Overwritten; on failure removed.
  std::optional<std::filesystem::path> save_to;
};

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  std::int64_t bytes = 0;  // of the body

  bool ok() const { return status >= 200 && status < 300; }
  std::string header(const std::string& lower_case_name) const;  // "" when absent
  // Of a Retry-After in seconds; dates are not understood.
  std::optional<std::chrono::seconds> retry_after() const;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  virtual Result<HttpAnswer> send(const HttpRequest& request, const CancelToken& cancel) = 0;
};

}  // namespace pytoon
