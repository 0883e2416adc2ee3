// The examples that Amazon publishes with the specification (see sigv4.h), signature for signature.
#include "server/io/storage/sigv4.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace pytoon::io {
namespace {

const Credentials kExample{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                           "us-east-1"};
constexpr const char* kHost = "examplebucket.s3.amazonaws.com";
const WallTime kNow{std::chrono::sys_days(std::chrono::year(2013) / 5 / 24)};

std::string signature_of(const SignedRequest& request) {
  for (const auto& [name, value] : signed_headers(request, kExample, kNow)) {
    if (name == "authorization") return value.substr(value.find("Signature=") + 10);
  }
  return "";
}

}  // namespace

TEST(SigV4, GetObject) {
  const SignedRequest request{"GET",         kHost, "/test.txt", {}, {{"range", "bytes=0-9"}},
                              sha256_hex("")};
  EXPECT_EQ(signature_of(request),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  const NamedValues headers = signed_headers(request, kExample, kNow);
  EXPECT_EQ(headers.back().second.substr(0, headers.back().second.find("f0e8")),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=");
}

TEST(SigV4, PutObject) {
  const SignedRequest request{
      "PUT",
      kHost,
      "/test$file.text",
      {},
      {{"date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
      sha256_hex("Welcome to Amazon S3.")};
  EXPECT_EQ(signature_of(request),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(SigV4, BucketLifecycle) {
  const SignedRequest request{"GET", kHost, "/", {{"lifecycle", ""}}, {}, sha256_hex("")};
  EXPECT_EQ(signature_of(request),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST(SigV4, ListObjects) {
  const SignedRequest request{"GET", kHost,         "/", {{"prefix", "J"}, {"max-keys", "2"}},
                              {},    sha256_hex("")};
  EXPECT_EQ(signature_of(request),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(SigV4, PresignedUrl) {
  const SignedRequest request{"GET", kHost, "/test.txt", {}, {}, ""};
  EXPECT_EQ(presigned_query(request, kExample, kNow, std::chrono::seconds(86400)),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
            "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
            "X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(SigV4, EncodesPathsAndQueries) {
  EXPECT_EQ(encoded_path("/a b/c$d/"), "/a%20b/c%24d/");
  EXPECT_EQ(encoded_path("/"), "/");
  EXPECT_EQ(encoded_query({{"b", "x/y"}, {"a", ""}, {"A", "1"}}), "A=1&a=&b=x%2Fy");
}

}  // namespace pytoon::io
