// How S3's errors are met, with a stand-in that answers as told; the real server is s3_test's.
#include "server/io/storage/s3_client.h"

#include <gtest/gtest.h>

#include "base/curl_client.h"
#include "base/files.h"
#include "base/hash.h"
#include "server/io/storage/s3_storage.h"
#include "tests/server/jobs/samples.h"
#include "tests/support/fake_http_server.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::io {
using support::Call;
using support::Reply;

class S3ClientTest : public testing::Test {
 protected:
  static S3Options options_for(const std::string& url) {
    auto made = make_s3_options({url, "the-key-id", "hunter2", "videos", ""});
    EXPECT_TRUE(made) << made.failure().detail;
    made->tries = 3;
    return *made;
  }
  static Reply error(int status, const std::string& code) {
    return {status, "<Error><Code>" + code + "</Code></Error>", "application/xml"};
  }
  Result<HttpAnswer> get() { return client_.send({.key = "a"}); }
  Failure refused(const Reply& reply) {
    replies_ = {reply};
    calls_.clear();
    const auto answer = get();
    EXPECT_FALSE(answer);
    EXPECT_EQ(answer.failure().detail.find("hunter2"), std::string::npos);
    return answer.failure();
  }

  std::vector<Reply> replies_;  // the last one for ever
  std::vector<Call> calls_;
  support::FakeHttpServer server_{[this](const Call& call) {
    calls_.push_back(call);
    const std::size_t at = std::min(calls_.size(), replies_.size()) - 1;
    return replies_[at];
  }};
  CurlClient http_;
  testing_support::HandClock clock_;  // sleeping takes no time
  S3Options options_ = options_for(server_.url());
  S3Client client_{options_, http_, clock_};
};

TEST_F(S3ClientTest, PassingTroubleIsTriedAgain) {
  replies_ = {error(503, "SlowDown"), error(500, "InternalError"), {200, "fine"}};
  const auto answer = get();
  ASSERT_TRUE(answer) << answer.failure().detail;
  EXPECT_EQ(answer->body, "fine");
  EXPECT_EQ(calls_.size(), 3U);
  EXPECT_NE(calls_[0].headers.at("x-amz-date"), "");
  EXPECT_EQ(calls_[0].path, "/videos/a");
}

TEST_F(S3ClientTest, LastingTroubleIsGivenUp) {
  EXPECT_EQ(refused(error(503, "SlowDown")).kind, FailureKind::kUnavailable);
  EXPECT_EQ(calls_.size(), 3U);
  Reply dropped;
  dropped.manner = Reply::Manner::kDrop;
  EXPECT_EQ(refused(dropped).kind, FailureKind::kUnavailable);
  const auto quiet = server_.between_calls();
  EXPECT_EQ(calls_.size(), 3U);
}

TEST_F(S3ClientTest, RefusalsNameTheRemedyAndAreNotTriedAgain) {
  const auto detail = [this](int status, const std::string& code) {
    const Failure why = refused(error(status, code));
    EXPECT_EQ(calls_.size(), 1U);
    EXPECT_EQ(why.kind, FailureKind::kUnavailable);
    return why.detail;
  };
  EXPECT_NE(detail(403, "AccessDenied").find("the-key-id"), std::string::npos);
  EXPECT_NE(detail(403, "SignatureDoesNotMatch").find("S3_SECRET_KEY"), std::string::npos);
  EXPECT_NE(detail(404, "NoSuchBucket").find("videos"), std::string::npos);
  EXPECT_NE(detail(403, "RequestTimeTooSkewed").find("clock"), std::string::npos);
  EXPECT_NE(detail(400, "AuthorizationHeaderMalformed").find("S3_REGION"), std::string::npos);
  EXPECT_EQ(refused(error(404, "NoSuchKey")).kind, FailureKind::kNotFound);
  EXPECT_EQ(refused(error(507, "XMinioStorageFull")).kind, FailureKind::kStorageFull);
  EXPECT_EQ(refused(error(403, "QuotaExceeded")).kind, FailureKind::kStorageFull);
  EXPECT_EQ(refused(error(400, "InvalidArgument")).kind, FailureKind::kIo);
}

TEST_F(S3ClientTest, AnErrorAfter200IsAnError) {
  replies_ = {error(200, "InternalError"), {200, "<CopyObjectResult></CopyObjectResult>"}};
  EXPECT_TRUE(client_.send({.method = "PUT", .key = "a", .body = std::string()}));
  EXPECT_EQ(calls_.size(), 2U);
}

TEST_F(S3ClientTest, BucketsInTheHostName) {
  S3Options hosted = options_;
  hosted.path_style = false;
  hosted.host = "localhost:" + std::to_string(server_.port());
  S3Client client(hosted, http_, clock_);
  EXPECT_TRUE(client.presigned_url("a/b", std::chrono::seconds(5))
                  .starts_with("http://videos.localhost:" + std::to_string(server_.port()) +
                               "/a/b?X-Amz-Algorithm="));
}

class S3DownloadTest : public S3ClientTest {
 protected:
  void SetUp() override {
    auto opened = S3Storage::open(options_, folder_.path(), 0, http_, clock_);
    ASSERT_TRUE(opened);
    storage_ = std::move(opened).value();
  }
  static Reply object(const std::string& body, const std::string& noted) {
    return {200, body, "video/mp4", {{"ETag", "\"1\""}, {"x-amz-meta-sha256", sha256_hex(noted)}}};
  }
  support::TemporaryFolder folder_;
  std::unique_ptr<S3Storage> storage_;
};

TEST_F(S3DownloadTest, ADamagedDownloadIsTriedAgainThenRefused) {
  replies_ = {object("b1ue", "blue"), object("blue", "blue")};
  auto path = storage_->local("a");
  ASSERT_TRUE(path) << path.failure().detail;
  EXPECT_EQ(*read_file(*path), "blue");
  replies_ = {object("b1ue", "blue")};
  calls_.clear();
  path = storage_->local("b");
  ASSERT_FALSE(path);
  EXPECT_EQ(path.failure().kind, FailureKind::kMalformed);
  EXPECT_EQ(calls_.size(), 3U);
}

TEST_F(S3DownloadTest, ACopyIsAskedForOnlyWhenItChanged) {
  replies_ = {object("blue", "blue"), {304, ""}};
  const auto first = storage_->local("a");
  const auto second = storage_->local("a");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(calls_.at(0).headers.count("if-none-match"), 0U);
  EXPECT_EQ(calls_.at(1).headers.at("if-none-match"), "\"1\"");
  replies_ = {{404, "<Error><Code>NoSuchKey</Code></Error>"}};
  EXPECT_EQ(storage_->local("a").failure().kind, FailureKind::kNotFound);
}

TEST_F(S3DownloadTest, AStoreThatCantBeAskedIsNoNo) {
  replies_ = {{500, ""}};
  EXPECT_EQ(storage_->contains("a").failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(storage_->writable().failure().kind, FailureKind::kUnavailable);
  replies_ = {{404, ""}};
  EXPECT_FALSE(*storage_->contains("a"));
  replies_ = {{200, ""}};
  EXPECT_TRUE(storage_->writable());
  const std::size_t asked = calls_.size();
  EXPECT_TRUE(storage_->writable());
  EXPECT_EQ(calls_.size(), asked);  // well a moment ago
}

// A proxy's page, or a list that was cut off, says nothing about the bucket: who takes it for an
// empty one forgets objects.
TEST_F(S3DownloadTest, AListThatCantBeReadIsNoEmptyBucket) {
  for (const char* body : {"", "<html><body>welcome</body></html>",
                           "<ListBucketResult><Contents><Key>a</Key></Contents>"}) {
    replies_ = {{200, body}};
    EXPECT_EQ((*storage_->walk(""))->next(9).failure().kind, FailureKind::kBadResponse) << body;
    EXPECT_EQ(storage_->reclaim_abandoned().ok(), false) << body;
  }
  replies_ = {{200, "<ListBucketResult><Name>videos</Name></ListBucketResult>"}};
  EXPECT_TRUE((*storage_->walk(""))->next(9)->empty());
}

}  // namespace pytoon::io
