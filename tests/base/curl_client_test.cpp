#include "base/curl_client.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/files.h"
#include "tests/support/fake_http_server.h"

namespace pytoon {
namespace fs = std::filesystem;
using support::Call;
using support::FakeHttpServer;
using support::Reply;
using Manner = Reply::Manner;

class CurlClientTest : public testing::Test {
 protected:
  CurlClientTest() : folder_(fs::temp_directory_path() / ("curl-client-" + RandomName())) {
    fs::create_directories(folder_);
  }
  ~CurlClientTest() override { fs::remove_all(folder_); }

  static std::string RandomName() {
    return std::to_string(::testing::UnitTest::GetInstance()->random_seed()) +
           ::testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  HttpRequest request(const std::string& path = "/") {
    HttpRequest made;
    made.url = server_.url(path);
    made.egress = EgressScope::kAny;
    made.limits.total = std::chrono::seconds(20);
    return made;
  }
  Result<HttpAnswer> send(const HttpRequest& made) { return client_.send(made, cancel_); }

  fs::path folder_;
  Reply reply_;
  std::vector<Call> calls_;
  FakeHttpServer server_{[this](const Call& call) {
    calls_.push_back(call);
    return reply_;
  }};
  CancelToken cancel_;
  CurlClient client_;
};

TEST_F(CurlClientTest, SendsWhatItIsGivenAndReadsTheAnswer) {
  reply_ = {201, R"({"ok":1})", "application/json", {{"X-Thing", "a b"}, {"Retry-After", "7"}}};
  HttpRequest made = request("/a?x=1%202");
  made.method = "POST";
  made.headers = {{"X-API-Key", "k"}, {"X-Empty", ""}};
  made.body = std::string(R"({"a":"b"})");
  const Result<HttpAnswer> answer = send(made);
  ASSERT_TRUE(answer) << answer.failure().detail;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, R"({"ok":1})");
  EXPECT_EQ(answer->header("x-thing"), "a b");
  EXPECT_EQ(answer->retry_after(), std::chrono::seconds(7));
  ASSERT_EQ(calls_.size(), 1U);
  EXPECT_EQ(calls_[0].method, "POST");
  EXPECT_EQ(calls_[0].query.at("x"), "1 2");
  EXPECT_EQ(calls_[0].headers.at("x-api-key"), "k");
  EXPECT_EQ(calls_[0].body, R"({"a":"b"})");
  EXPECT_EQ(calls_[0].headers.count("origin"), 0U);
}

TEST_F(CurlClientTest, AnEmptyPostSaysSo) {
  HttpRequest made = request();
  made.method = "POST";
  ASSERT_TRUE(send(made));
  EXPECT_EQ(calls_[0].headers.at("content-length"), "0");
  EXPECT_EQ(calls_[0].headers.count("content-type"), 0U);
}

TEST_F(CurlClientTest, SendsFilesRawAndInForms) {
  const fs::path file = folder_ / "a.bin";
  const std::string bytes = std::string(300'000, 'q') + std::string("\0\r\n", 3);
  ASSERT_TRUE(write_file_atomically(file, bytes));
  HttpRequest made = request();
  made.method = "PUT";
  made.body = file;
  ASSERT_TRUE(send(made));
  EXPECT_EQ(calls_[0].method, "PUT");
  EXPECT_EQ(calls_[0].body, bytes);
  made.method = "POST";
  made.body = std::vector<FormPart>{{"category", "image", {}, "", ""},
                                    {"file", "", file, "hero.png", "image/png"}};
  ASSERT_TRUE(send(made));
  const auto form = support::read_form(calls_[1]);
  EXPECT_EQ(form.at("category").value, "image");
  EXPECT_EQ(form.at("file").file_name, "hero.png");
  EXPECT_EQ(form.at("file").value, bytes);
}

TEST_F(CurlClientTest, SavesAGoodAnswerAndOnlyThat) {
  reply_.body = std::string(200'000, 'v');
  HttpRequest made = request();
  made.save_to = folder_ / "out.mp4";
  const Result<HttpAnswer> answer = send(made);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->bytes, 200'000);
  EXPECT_EQ(*read_file(*made.save_to), reply_.body);
  reply_ = {404, "gone"};
  const Result<HttpAnswer> missing = send(made);
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->body, "gone");
  EXPECT_FALSE(fs::exists(*made.save_to));
}

TEST_F(CurlClientTest, AnAnswerTooLargeIsGivenUp) {
  reply_.body = std::string(5000, 'x');
  HttpRequest made = request();
  made.limits.answer_bytes = 4999;
  EXPECT_EQ(send(made).failure().kind, FailureKind::kTooLarge);
  made.save_to = folder_ / "big";
  EXPECT_EQ(send(made).failure().kind, FailureKind::kTooLarge);
  EXPECT_FALSE(fs::exists(*made.save_to));
  made.limits.answer_bytes = 5000;
  EXPECT_TRUE(send(made));
}

TEST_F(CurlClientTest, ACutAnswerIsNoAnswer) {
  reply_.body = std::string(5000, 'x');
  reply_.manner = Manner::kCut;
  EXPECT_EQ(send(request()).failure().kind, FailureKind::kBadResponse);
  {
    const auto quiet = server_.between_calls();
    reply_.manner = Manner::kDrop;
  }
  EXPECT_EQ(send(request()).failure().kind, FailureKind::kBadResponse);
}

TEST_F(CurlClientTest, SilenceAndTricklesRunIntoTheirLimits) {
  reply_.manner = Manner::kHang;
  HttpRequest made = request();
  made.limits.total = std::chrono::milliseconds(150);
  EXPECT_EQ(send(made).failure().kind, FailureKind::kTimeout);
  {
    const auto quiet = server_.between_calls();
    reply_.manner = Manner::kTrickle;
    reply_.body = std::string(10'000, 'x');
  }
  made.limits.total = std::chrono::seconds(30);
  made.limits.least_bytes_per_second = 1000;
  made.limits.stall = std::chrono::seconds(1);
  EXPECT_EQ(send(made).failure().kind, FailureKind::kTimeout);
}

TEST_F(CurlClientTest, ACancelIsNoticedWhileNothingMoves) {
  reply_.manner = Manner::kHang;
  std::thread canceller([this] {
    while (server_.connections() == 0) std::this_thread::yield();
    cancel_.cancel();
  });
  const Result<HttpAnswer> answer = send(request());
  canceller.join();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().kind, FailureKind::kCancelled);
}

TEST_F(CurlClientTest, PublicReachNeverConnectsToThisMachine) {
  for (const std::string host : {"127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]",
                                 "[::ffff:127.0.0.1]", "0.0.0.0", "１２７.0.0.1"}) {
    HttpRequest made = request();
    made.url = "http://" + host + ":" + std::to_string(server_.port()) + "/";
    made.egress = EgressScope::kPublic;
    const Result<HttpAnswer> answer = send(made);
    ASSERT_FALSE(answer) << host;
    EXPECT_EQ(answer.failure().kind, FailureKind::kInvalid) << answer.failure().detail;
  }
  EXPECT_EQ(server_.connections(), 0);
  // A connection that was kept for another reach is not lent.
  ASSERT_TRUE(send(request()));
  HttpRequest made = request();
  made.egress = EgressScope::kPublic;
  EXPECT_FALSE(send(made));
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(CurlClientTest, PrivateReachTalksToThisMachineOnly) {
  HttpRequest made = request();
  made.egress = EgressScope::kPrivate;
  EXPECT_TRUE(send(made));
  made.url = "http://1.1.1.1:8188/";
  const Result<HttpAnswer> answer = send(made);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.failure().kind, FailureKind::kInvalid);
  EXPECT_NE(answer.failure().detail.find("1.1.1.1"), std::string::npos);
}

TEST_F(CurlClientTest, RedirectsAreRefusedUnlessAskedFor) {
  reply_ = {302, "", "text/plain", {{"Location", "/elsewhere"}}};
  EXPECT_EQ(send(request()).failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(server_.connections(), 1);
  HttpRequest made = request();
  made.limits.redirects = 3;
  EXPECT_EQ(send(made).failure().kind, FailureKind::kInvalid);  // for ever round
  EXPECT_EQ(server_.connections(), 5);
}

TEST_F(CurlClientTest, ARedirectLosesTheKeyAndTheReach) {
  std::vector<Call> seen;
  FakeHttpServer other([&seen](const Call& call) {
    seen.push_back(call);
    return Reply{200, "inner"};
  });
  reply_ = {302, "", "text/plain", {{"Location", other.url("/x")}}};
  HttpRequest made = request();
  made.headers = {{"Authorization", "Bearer s"}};
  made.limits.redirects = 1;
  const Result<HttpAnswer> refused = send(made);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(other.connections(), 0);
  made.egress = EgressScope::kPrivate;  // keeps its reach: private stays private
  ASSERT_TRUE(send(made));
  EXPECT_EQ(seen.at(0).headers.count("authorization"), 0U);
}

TEST_F(CurlClientTest, HeadersCantBeSmuggled) {
  HttpRequest made = request();
  made.headers = {{"X-A", "b\r\nX-Evil: 1"}};
  EXPECT_EQ(send(made).failure().kind, FailureKind::kInvalid);
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(CurlClientTest, NobodyThereIsUnavailable) {
  server_.stop();
  EXPECT_EQ(send(request()).failure().kind, FailureKind::kUnavailable);
}

}  // namespace pytoon
