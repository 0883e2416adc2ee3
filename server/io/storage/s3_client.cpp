#include "server/io/storage/s3_client.h"

#include <array>
#include <utility>

#include "base/hash.h"
#include "server/io/storage/s3_xml.h"

namespace pytoon::io {
namespace {

constexpr std::int64_t kAnswerBytesMax = 16 << 20;  // a page of a list has well under 1 MB
constexpr std::int64_t kObjectBytesMax = 64LL << 30;

template <std::size_t N>
bool is_one_of(const std::string& code, const std::array<std::string_view, N>& codes) {
  for (const std::string_view one : codes) {
    if (code == one) return true;
  }
  return false;
}

bool is_passing(const std::string& code, int status) {
  constexpr std::array<std::string_view, 10> kPassing{"SlowDown",
                                                      "RequestTimeout",
                                                      "InternalError",
                                                      "ServiceUnavailable",
                                                      "Throttling",
                                                      "BadDigest",
                                                      "XAmzContentSHA256Mismatch",
                                                      "IncompleteBody",
                                                      "OperationAborted",
                                                      "XMinioServerNotInitialized"};
  return status >= 500 || status == 429 || status == 408 || is_one_of(code, kPassing);
}

bool is_full(const std::string& code, int status) {
  constexpr std::array<std::string_view, 4> kFull{"XMinioStorageFull", "QuotaExceeded",
                                                  "InsufficientStorage",
                                                  "XMinioAdminBucketQuotaExceeded"};
  return status == 507 || is_one_of(code, kFull);
}

}  // namespace

struct S3Client::Verdict {
  std::optional<Failure> failure;
  bool again = false;
};

std::string S3Client::host() const {
  return options_.path_style ? options_.host : options_.bucket + "." + options_.host;
}

std::string S3Client::path_of(const std::string& key) const {
  const std::string bucket = options_.path_style ? "/" + options_.bucket : "";
  return bucket + "/" + key;
}

HttpRequest S3Client::signed_request(const S3Request& request) const {
  SignedRequest to_sign{request.method, host(),          path_of(request.key),
                        request.query,  request.headers, request.body_sha256};
  if (const auto* text = std::get_if<std::string>(&request.body)) {
    to_sign.body_sha256 = sha256_hex(*text);
  } else if (to_sign.body_sha256.empty()) {
    to_sign.body_sha256 = sha256_hex("");
  }
  HttpRequest made;
  made.method = request.method;
  const std::string query = encoded_query(request.query);
  made.url = options_.scheme + "://" + to_sign.host + encoded_path(to_sign.path) +
             (query.empty() ? "" : "?" + query);
  made.headers = signed_headers(to_sign, options_.credentials, clock_.now());
  made.body = request.body;
  made.egress = EgressScope::kAny;
  made.save_to = request.save_to;
  made.limits.connect = options_.connect_limit;
  made.limits.total = request.transfers ? options_.transfer_limit : options_.answer_limit;
  made.limits.least_bytes_per_second = 1;
  made.limits.stall = options_.stall_limit;
  made.limits.answer_bytes = request.save_to ? kObjectBytesMax : kAnswerBytesMax;
  return made;
}

Failure S3Client::refusal(const std::string& code, int status) const {
  const std::string said = code.empty() ? std::to_string(status) : code;
  if (is_full(code, status)) return failure(FailureKind::kStorageFull, "S3 is full (" + said + ")");
  if (code == "RequestTimeTooSkewed" || code == "RequestExpired") {
    return failure(FailureKind::kUnavailable,
                   "S3 says that this machine's clock is wrong (" + said + "): set the clock");
  }
  if (code == "NoSuchBucket") {
    return failure(FailureKind::kUnavailable, "the bucket " + options_.bucket +
                                                  " does not exist at " + options_.host +
                                                  ": make it, or mend S3_BUCKET");
  }
  if (status == 403 || status == 401) {
    return failure(FailureKind::kUnavailable,
                   "S3 refuses the key " + options_.credentials.key_id + " for the bucket " +
                       options_.bucket + " (" + said +
                       "): check S3_ACCESS_KEY, S3_SECRET_KEY and what the key may do");
  }
  if (status == 301 || status == 307 || code == "AuthorizationHeaderMalformed") {
    return failure(FailureKind::kUnavailable,
                   "the bucket " + options_.bucket + " is in another region: mend S3_REGION");
  }
  return failure(FailureKind::kIo, "S3 refuses the request (" + said + ")");
}

S3Client::Verdict S3Client::judge(const S3Request& request, const HttpAnswer& answer) const {
  // A copy or a multipart upload may fail after the answer began with 200.
  if ((answer.ok() && request.method == "GET") || answer.status == 304) return {};
  const std::optional<std::string> error = error_code(answer.body);
  const bool late_error = answer.status == 200 && error.has_value();
  if (answer.ok() && !late_error) return {};
  const std::string code = error.value_or("");
  if (answer.status == 404 && code != "NoSuchBucket") {
    const std::string what = code == "NoSuchUpload" ? "upload of " : "object ";
    return {failure(FailureKind::kNotFound, "there is no " + what + request.key)};
  }
  const int status = late_error ? 500 : answer.status;
  if (is_full(code, status) || !is_passing(code, status)) return {refusal(code, status)};
  const std::string said = code.empty() ? std::to_string(status) : code;
  return {failure(FailureKind::kUnavailable,
                  "S3 at " + options_.host + " is in trouble (" + said + ")"),
          true};
}

// Why there is no answer. An S3 that hangs up in the middle of one is as far away as one that can't
// be reached: our own clients are told so.
S3Client::Verdict S3Client::judge(Failure silence) {
  const bool again = is_transport_failure(silence.kind);
  if (silence.kind == FailureKind::kBadResponse) silence.kind = FailureKind::kUnavailable;
  return {std::move(silence), again};
}

Result<HttpAnswer> S3Client::send(const S3Request& request) {
  const CancelToken never;
  Backoff backoff(options_.backoff, seed_from(request.key + host()));
  for (int tried = 1;; ++tried) {
    Result<HttpAnswer> answer = http_.send(signed_request(request), never);
    const Verdict verdict = answer ? judge(request, *answer) : judge(answer.failure());
    if (!verdict.failure) return answer;
    if (!verdict.again || tried >= options_.tries) return *verdict.failure;
    std::chrono::milliseconds wait = backoff.next();
    if (answer && answer->retry_after()) {
      wait = std::min<std::chrono::milliseconds>(*answer->retry_after(), options_.backoff.most);
    }
    clock_.sleep_for(wait);
  }
}

std::string S3Client::presigned_url(const std::string& key, std::chrono::seconds valid_for) const {
  const SignedRequest request{"GET", host(), path_of(key), {}, {}, ""};
  return options_.scheme + "://" + request.host + encoded_path(request.path) + "?" +
         presigned_query(request, options_.credentials, clock_.now(), valid_for);
}

}  // namespace pytoon::io
