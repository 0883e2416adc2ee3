#include "server/io/storage/s3_options.h"

#include <gtest/gtest.h>

namespace pytoon::io {
namespace {

const S3Settings kMinio{"http://minio:9000", "pytoon", "hunter2", "videos", ""};

}  // namespace

TEST(S3Options, MinioIsSpokenToByPath) {
  const auto options = make_s3_options(kMinio);
  ASSERT_TRUE(options) << options.failure().detail;
  EXPECT_EQ(options->scheme, "http");
  EXPECT_EQ(options->host, "minio:9000");
  EXPECT_TRUE(options->path_style);
  EXPECT_EQ(options->credentials.region, "us-east-1");
}

TEST(S3Options, AmazonIsSpokenToByHost) {
  S3Settings settings = kMinio;
  settings.endpoint = "";
  settings.region = "eu-west-1";
  auto options = make_s3_options(settings);
  ASSERT_TRUE(options) << options.failure().detail;
  EXPECT_EQ(options->scheme, "https");
  EXPECT_EQ(options->host, "s3.eu-west-1.amazonaws.com");
  EXPECT_FALSE(options->path_style);
  settings.bucket = "my.videos";  // no certificate matches my.videos.s3...
  options = make_s3_options(settings);
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->path_style);
  settings.endpoint = "https://store.example.com:443/";
  EXPECT_EQ(make_s3_options(settings)->host, "store.example.com");
}

TEST(S3Options, WrongValuesAreNamedWithoutTheSecret) {
  const auto wrong = [](const std::string& variable, auto change) {
    S3Settings settings = kMinio;
    change(settings);
    const auto options = make_s3_options(settings);
    ASSERT_FALSE(options) << variable;
    EXPECT_TRUE(options.failure().detail.starts_with(variable)) << options.failure().detail;
    EXPECT_EQ(options.failure().detail.find("hunter2"), std::string::npos);
  };
  for (const char* endpoint : {"minio:9000", "ftp://minio", "http://", "http://u:p@minio:9000",
                               "http://minio:9000/path", "http://minio:9000/?a=b"}) {
    wrong("S3_ENDPOINT", [&](S3Settings& s) { s.endpoint = endpoint; });
  }
  for (const char* bucket : {"", "ab", "Videos", "a_b_c", "-abc", "abc.", "a..b"}) {
    wrong("S3_BUCKET", [&](S3Settings& s) { s.bucket = bucket; });
  }
  wrong("S3_REGION", [](S3Settings& s) { s.region = "eu west"; });
  wrong("S3_ACCESS_KEY", [](S3Settings& s) { s.access_key = ""; });
  wrong("S3_ACCESS_KEY", [](S3Settings& s) { s.access_key = "a b"; });
  wrong("S3_SECRET_KEY", [](S3Settings& s) { s.secret_key = ""; });
}

}  // namespace pytoon::io
