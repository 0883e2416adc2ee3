#include "server/app/remote.h"

#include <gtest/gtest.h>

#include "base/curl_client.h"
#include "server/app/commands.h"
#include "tests/support/fake_http_server.h"

namespace pytoon::app {

class RemoteTest : public testing::Test {
 protected:
  Environment environment() const {
    return {{"PYTOON_URL", server_.url("/")}, {"PYTOON_API_KEY", "key-of-mine"}};
  }

  support::Reply reply_;
  support::Call call_;
  support::FakeHttpServer server_{[this](const support::Call& call) {
    call_ = call;
    return reply_;
  }};
};

TEST_F(RemoteTest, SendsTheKeyAndReadsJson) {
  reply_.body = R"({"draining":true})";
  EXPECT_EQ(set_draining(environment(), true), 0);
  EXPECT_EQ(call_.method, "POST");
  EXPECT_EQ(call_.path, "/api/v1/admin/drain");
  EXPECT_EQ(call_.headers.at("x-api-key"), "key-of-mine");
  EXPECT_EQ(set_draining(environment(), false), 0);
  EXPECT_EQ(call_.path, "/api/v1/admin/resume");
}

TEST_F(RemoteTest, AProblemIsOneLineForAPerson) {
  reply_.status = 409;
  reply_.type = "application/problem+json";
  reply_.body = R"({"detail":"a job that is DONE can't become CANCELLED"})";
  CurlClient client;
  const Result<Remote> remote = Remote::from(environment(), client);
  ASSERT_TRUE(remote);
  const auto answer = remote->post("/api/v1/jobs/a/cancel");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().detail, "a job that is DONE can't become CANCELLED");
  EXPECT_EQ(cancel_job(environment(), "a"), 1);
}

TEST_F(RemoteTest, IdsCannotLeaveTheirPlace) {
  reply_.body = "{}";
  (void)cancel_job(environment(), "../admin/drain?x=");
  EXPECT_NE(call_.path, "/api/v1/admin/drain");
  reply_.status = 404;
  EXPECT_EQ(watch_job(environment(), "../admin/capacity?x=", ""), 1);
  EXPECT_TRUE(call_.path.starts_with("/api/v1/jobs/")) << call_.path;
}

TEST_F(RemoteTest, WithoutAKeyItSaysWhatToSet) {
  CurlClient client;
  const Result<Remote> remote =
      Remote::from({{"DB_URL", "sqlite:////nonexistent/pytoon.db"}}, client);
  ASSERT_FALSE(remote);
  EXPECT_NE(remote.failure().detail.find("PYTOON_API_KEY"), std::string::npos);
}

}  // namespace pytoon::app
