// One request to S3: signed, sent, tried again while that makes sense, its error told in words that
// name the remedy. What the requests mean is s3_storage's and s3_upload's business.
//
// Tried again, with back-off: no answer, 5xx, 429, SlowDown, RequestTimeout, a body that arrived
// damaged. Every request of ours may be repeated without harm.
// Thread rule: any thread. Blocks for `tries` times the time limit at worst.
// Errors: kNotFound, kStorageFull, kTimeout; kUnavailable for all that an operator or time mends
// (not reached, cut off, busy, key refused, no such bucket, clock off); kIo for what S3 says is our
// fault.
#pragma once

#include <optional>
#include <string>

#include "base/http_client.h"
#include "server/io/storage/s3_options.h"
#include "server/io/storage/sigv4.h"

namespace pytoon::io {

struct S3Request {
  std::string method = "GET";
  std::string key;  // "" is the bucket itself
  NamedValues query;
  NamedValues headers;
  HttpBody body;            // text or a file
  std::string body_sha256;  // of a file; that of a text is found out
  std::optional<std::filesystem::path> save_to;
  bool transfers = false;  // moves a whole object or part: the longer time limit
};

class S3Client {
 public:
  // All must outlive the client.
  S3Client(const S3Options& options, HttpClient& http, Clock& clock)
      : options_(options), http_(http), clock_(clock) {}

  // An answer of 2xx, or 304.
  Result<HttpAnswer> send(const S3Request& request);
  // See presigned_query().
  std::string presigned_url(const std::string& key, std::chrono::seconds valid_for) const;

 private:
  struct Verdict;  // of one try

  std::string host() const;
  std::string path_of(const std::string& key) const;
  HttpRequest signed_request(const S3Request& request) const;
  Verdict judge(const S3Request& request, const HttpAnswer& answer) const;
  static Verdict judge(Failure silence);
  Failure refusal(const std::string& code, int status) const;

  const S3Options& options_;
  HttpClient& http_;
  Clock& clock_;
};

}  // namespace pytoon::io
