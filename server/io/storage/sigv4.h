// AWS Signature Version 4 for S3: what proves to the server that a request is ours and unaltered.
// Sources: docs.aws.amazon.com, "Authenticating Requests: Using the Authorization Header" and
// "... Using Query Parameters" of the S3 API reference; its examples are our tests.
//
// Paths and query values are given plain: they are encoded here, once (S3 does not encode twice).
// Thread rule: pure functions.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace pytoon::io {

struct Credentials {
  std::string key_id;
  std::string secret;
  std::string region;
};

using NamedValues = std::vector<std::pair<std::string, std::string>>;

struct SignedRequest {
  std::string method;
  std::string host;  // with its port, unless that is the scheme's own
  std::string path;  // plain, begins with "/"
  NamedValues query;
  NamedValues headers;      // names in lower case; without host, x-amz-date, x-amz-content-sha256
  std::string body_sha256;  // hex
};

// All headers to send: the request's own, x-amz-date, x-amz-content-sha256 and authorization.
NamedValues signed_headers(const SignedRequest& request, const Credentials& credentials,
                           WallTime now);
// The query of a URL that is good for `valid_for` (at most seven days) from `now`, for a request
// without headers of its own; body_sha256 is not used.
std::string presigned_query(const SignedRequest& request, const Credentials& credentials,
                            WallTime now, std::chrono::seconds valid_for);

// Percent-encoded as S3 wants paths: "/" stays.
std::string encoded_path(const std::string& path);
// name=value&..., in the order of the names, as it is signed and sent.
std::string encoded_query(NamedValues query);

}  // namespace pytoon::io
