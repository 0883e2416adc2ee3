// Where objects are kept when they are kept in S3, or in anything that speaks its protocol (MinIO,
// Ceph): the environment's values, checked.
//
// Thread rule: plain values. Details never repeat the secret.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "base/backoff.h"
#include "base/result.h"
#include "server/io/storage/sigv4.h"

namespace pytoon::io {

// As the environment has them; "" is unset.
struct S3Settings {
  std::string endpoint;    // S3_ENDPOINT: http(s)://host[:port]; unset: Amazon's of the region
  std::string access_key;  // S3_ACCESS_KEY
  std::string secret_key;  // S3_SECRET_KEY
  std::string bucket;      // S3_BUCKET
  std::string region;      // S3_REGION; unset: us-east-1
};

struct S3Options {
  // Behaviour.
  std::string scheme;      // "http" or "https"
  std::string host;        // with its port, unless that is the scheme's own
  bool path_style = true;  // host/bucket/key rather than bucket.host/key
  std::string bucket;
  Credentials credentials;
  std::chrono::hours abandoned_after{24};  // a multipart upload that nobody finishes any more
  std::chrono::seconds cache_keeps{3600};  // a local copy, after its last use, whatever its bytes
  // Speed and patience.
  std::int64_t part_bytes = 16 << 20;    // larger files go up in parts of so much; S3: >= 5 MiB
  std::int64_t cache_bytes = 4LL << 30;  // of local copies
  int list_page = 1000;                  // objects an answer of a list; S3: 1000 at most
  int tries = 5;                         // of one request
  BackoffLimits backoff{std::chrono::milliseconds(100), std::chrono::milliseconds(3000)};
  std::chrono::milliseconds connect_limit{3000};
  std::chrono::milliseconds answer_limit{10'000};     // of requests without a body worth the name
  std::chrono::milliseconds transfer_limit{300'000};  // of one upload, part or download
  std::chrono::seconds stall_limit{10};               // given up when nothing moved for so long
};

// kInvalid naming the variable and the remedy. Amazon's own endpoint is spoken to by
// bucket.host/key, any other by host/bucket/key.
Result<S3Options> make_s3_options(const S3Settings& settings);

}  // namespace pytoon::io
