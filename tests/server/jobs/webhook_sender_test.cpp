#include "server/jobs/webhook_sender.h"
#include "base/base64.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/curl_client.h"
#include "base/hmac.h"
#include "server/io/open_store.h"
#include "server/jobs/webhook_signature.h"
#include "tests/server/jobs/quiet_metrics.h"
#include "tests/server/jobs/samples.h"
#include "tests/support/eventually.h"
#include "tests/support/fake_http_server.h"

namespace pytoon::jobs {
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The published example of Standard Webhooks.
TEST(WebhookSignature, IsThePublishedOne) {
  const auto keys = webhook_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(keys);
  EXPECT_EQ(webhook_signature(*keys, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                              R"({"test": 2432232314})"),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, TwoSecretsSignBoth) {
  const std::string old_secret = "whsec_" + base64(std::string(24, 'o'));
  const std::string new_secret = "whsec_" + base64(std::string(64, 'n'));
  const auto keys = webhook_keys(new_secret + "  " + old_secret);
  ASSERT_TRUE(keys);
  const std::string header = webhook_signature(*keys, "id", 1, "body");
  const std::string alone = webhook_signature(*webhook_keys(old_secret), "id", 1, "body");
  EXPECT_TRUE(header.ends_with(" " + alone));
  EXPECT_EQ(header.find("v1,"), 0U);
}

TEST(WebhookSignature, RefusesWeakSecretsWithoutRepeatingThem) {
  for (const std::string& secret :
       {std::string("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), std::string("whsec_"),
        std::string("whsec_not*base64"), "whsec_" + base64("too short"),
        "whsec_" + base64(std::string(65, 'x'))}) {
    const auto keys = webhook_keys(secret);
    ASSERT_FALSE(keys) << secret;
    EXPECT_EQ(keys.failure().detail.find("MfKQ"), std::string::npos);
  }
  EXPECT_TRUE(webhook_keys("")->empty());
}

TEST(WebhookDelay, FollowsTheScheduleAndRetryAfter) {
  const RetrySchedule schedule{seconds(10), minutes(10)};
  const milliseconds first = *webhook_delay(schedule, "id", 1, std::nullopt);
  EXPECT_LE(first, seconds(10));
  EXPECT_GE(first, seconds(9));
  EXPECT_EQ(first, *webhook_delay(schedule, "id", 1, std::nullopt));
  EXPECT_NE(first, *webhook_delay(schedule, "other", 1, std::nullopt));
  EXPECT_EQ(*webhook_delay(schedule, "id", 1, seconds(60)), seconds(60));
  EXPECT_EQ(*webhook_delay(schedule, "id", 1, hours(48)), hours(1)) << "a bound";
  EXPECT_GT(*webhook_delay(schedule, "id", 2, seconds(1)), minutes(8)) << "never sooner";
  EXPECT_EQ(webhook_delay(schedule, "id", 3, std::nullopt), std::nullopt);
}

TEST(WebhookSchedule, TriesForAboutADayAndAtLeastEveryTenMinutesForTwoHours) {
  milliseconds sum{0};
  for (const milliseconds delay : webhook_schedule()) {
    if (sum < hours(2)) {
      EXPECT_LE(delay, minutes(10));
    }
    sum += delay;
  }
  EXPECT_GE(sum, hours(23));
  EXPECT_LE(sum, hours(26));
}

class OutcomeMetrics final : public testing_support::QuietMetrics {
 public:
  void webhook_tried(WebhookOutcome outcome) override {
    const std::lock_guard lock(mutex);
    outcomes.push_back(outcome);
  }
  std::mutex mutex;
  std::vector<WebhookOutcome> outcomes;
};

// A sink answers what it was told to, then 200; the store, the client and the socket are real.
class WebhookSenderTest : public testing::Test {
 protected:
  WebhookSenderTest() {
    options_.keys = *webhook_keys("whsec_" + base64(std::string(32, 's')));
    options_.egress = EgressScope::kAny;
    options_.limit = milliseconds(2000);
    options_.schedule = {seconds(10), seconds(20), seconds(40)};
    make();
  }
  void make() {
    sender_ = std::make_unique<WebhookSender>(*store_, client_, metrics_, clock_, log_, options_);
  }
  // A job that ended, to be told to the sink.
  void end_job(const std::string& id) {
    NewJob order = testing_support::sample_job(id);
    order.job.webhook_url = sink_.url("/hook?token=s3cret");
    order.job.traceparent = "00-" + trace_id_ + "-b7ad6b7169203331-01";
    ASSERT_TRUE(store_->create(order, {100}));
    ASSERT_TRUE(store_->cancel(id));
  }
  // Written apart from the code under test.
  std::string expected_signature(const support::Call& call) const {
    const std::string text = call.headers.at("webhook-id") + "." +
                             call.headers.at("webhook-timestamp") + "." + call.body;
    return "v1," + base64(hmac_sha256(std::string(32, 's'), text));
  }
  bool step_after(milliseconds pause) {
    clock_.advance(pause);
    return sender_->step();
  }

  testing_support::HandClock clock_;
  const std::string trace_id_ = "0af7651916cd43dd8448eb211c80319c";
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  std::unique_ptr<io::SqlStore> store_ = io::open_memory_store(clock_);
  OutcomeMetrics metrics_;
  CurlClient client_;
  WebhookOptions options_;
  std::deque<support::Reply> replies_;
  std::vector<support::Call> calls_;
  support::FakeHttpServer sink_{[this](const support::Call& call) {
    calls_.push_back(call);
    support::Reply reply;
    if (!replies_.empty()) {
      reply = replies_.front();
      replies_.pop_front();
    }
    return reply;
  }};
  std::unique_ptr<WebhookSender> sender_;
};

TEST_F(WebhookSenderTest, TellsTheEndOnceSigned) {
  EXPECT_FALSE(sender_->step());
  end_job("a");
  EXPECT_TRUE(sender_->step());
  EXPECT_FALSE(step_after(hours(2)));
  ASSERT_EQ(calls_.size(), 1U);
  const support::Call& call = calls_[0];
  EXPECT_EQ(call.method, "POST");
  EXPECT_EQ(call.headers.at("content-type"), "application/json");
  EXPECT_EQ(call.headers.at("webhook-signature"), expected_signature(call));
  EXPECT_EQ(call.headers.at("webhook-timestamp"), "1800000000");
  const auto body = nlohmann::json::parse(call.body);
  EXPECT_EQ(body.at("type"), "job.cancelled");
  EXPECT_NE(call.body.find("\"a\""), std::string::npos);
  EXPECT_THAT(metrics_.outcomes, testing::ElementsAre(WebhookOutcome::kDelivered));
  EXPECT_NE(lines_.str().find(R"("webhook_delivered","job_id":"a","trace_id":")" + trace_id_),
            std::string::npos)
      << lines_.str();
  EXPECT_EQ(lines_.str().find("s3cret"), std::string::npos);
}

TEST_F(WebhookSenderTest, TriesAgainBySchedule) {
  support::Reply away;
  away.status = 503;
  support::Reply elsewhere;
  elsewhere.status = 302;
  elsewhere.headers = {{"Location", sink_.url("/other")}};
  replies_ = {away, elsewhere};
  end_job("a");
  EXPECT_TRUE(sender_->step());
  EXPECT_EQ(store_->deliveries({})->front().last_error, "the receiver answered 503");
  EXPECT_FALSE(step_after(seconds(8))) << "not yet";
  EXPECT_TRUE(step_after(seconds(2)));
  EXPECT_FALSE(step_after(seconds(17)));
  EXPECT_TRUE(step_after(seconds(3)));
  ASSERT_EQ(calls_.size(), 3U);
  for (const support::Call& call : calls_) {
    EXPECT_EQ(call.path, "/hook") << "no redirect is followed";
    EXPECT_EQ(call.headers.at("webhook-id"), calls_[0].headers.at("webhook-id"));
    EXPECT_EQ(call.body, calls_[0].body);
    EXPECT_EQ(call.headers.at("webhook-signature"), expected_signature(call));
  }
  EXPECT_NE(calls_[2].headers.at("webhook-timestamp"), calls_[0].headers.at("webhook-timestamp"));
  EXPECT_THAT(metrics_.outcomes,
              testing::ElementsAre(WebhookOutcome::kRetry, WebhookOutcome::kRetry,
                                   WebhookOutcome::kDelivered));
}

TEST_F(WebhookSenderTest, ObeysRetryAfter) {
  support::Reply busy;
  busy.status = 429;
  busy.headers = {{"Retry-After", "120"}};
  replies_ = {busy};
  end_job("a");
  EXPECT_TRUE(sender_->step());
  EXPECT_FALSE(step_after(seconds(100)));
  EXPECT_TRUE(step_after(seconds(20)));
}

TEST_F(WebhookSenderTest, GivesUpAtOnceWhenTheReceiverIsGone) {
  support::Reply gone;
  gone.status = 410;
  replies_ = {gone};
  end_job("a");
  EXPECT_TRUE(sender_->step());
  EXPECT_FALSE(step_after(hours(2)));
  const auto letters = store_->dead_letters(10);
  ASSERT_EQ(letters->size(), 1U);
  EXPECT_EQ(letters->front().job_id, "a");
  EXPECT_EQ(letters->front().event_id, calls_[0].headers.at("webhook-id"));
  EXPECT_NE(letters->front().cause.find("410"), std::string::npos);
  EXPECT_THAT(metrics_.outcomes, testing::ElementsAre(WebhookOutcome::kDeadLetter));
}

TEST_F(WebhookSenderTest, ExhaustedIsADeadLetterAndSentAgainOnDemand) {
  support::Reply broken;
  broken.status = 500;
  replies_ = {broken, broken, broken, broken};
  end_job("a");
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(step_after(minutes(1))) << i;
  EXPECT_FALSE(step_after(hours(2)));
  ASSERT_EQ(store_->dead_letters(10)->size(), 1U);
  EXPECT_NE(store_->dead_letters(10)->front().cause.find("4 attempts"), std::string::npos);
  ASSERT_TRUE(store_->redeliver("a"));
  EXPECT_TRUE(sender_->step());
  ASSERT_EQ(calls_.size(), 5U);
  EXPECT_EQ(calls_[4].headers.at("webhook-id"), calls_[0].headers.at("webhook-id"));
  EXPECT_EQ(metrics_.outcomes.back(), WebhookOutcome::kDelivered);
}

TEST_F(WebhookSenderTest, ASlowReceiverAndADeadOneArePutOff) {
  options_.limit = milliseconds(300);
  make();
  support::Reply silent;
  silent.manner = support::Reply::Manner::kHang;
  replies_ = {silent};
  end_job("a");
  EXPECT_TRUE(sender_->step());
  EXPECT_EQ(metrics_.outcomes.back(), WebhookOutcome::kRetry);
  sink_.stop();
  EXPECT_TRUE(step_after(minutes(1)));
  EXPECT_EQ(metrics_.outcomes.back(), WebhookOutcome::kRetry);
}

TEST_F(WebhookSenderTest, APrivateAddressIsNotReachedWhateverItsName) {
  options_.egress = EgressScope::kPublic;
  make();
  end_job("a");
  EXPECT_TRUE(sender_->step());
  EXPECT_EQ(metrics_.outcomes.back(), WebhookOutcome::kRetry);
  EXPECT_EQ(sink_.connections(), 0);
  EXPECT_EQ(store_->deliveries({})->front().last_error, "the receiver's address may not be reached")
      << "which address that is is nobody's business";
}

// Receivers of one tenant take the call and never answer, until they are let.
class HangingClient final : public HttpClient {
 public:
  Result<HttpAnswer> send(const HttpRequest& request, const CancelToken& /*cancel*/) override {
    if (request.url.find("noisy") != std::string::npos) {
      ++hanging;
      hang.wait(true);
    } else {
      ++answered;
    }
    HttpAnswer answer;
    answer.status = 200;
    return answer;
  }
  std::atomic<int> hanging{0};
  std::atomic<int> answered{0};
  std::atomic<bool> hang{true};
};

TEST_F(WebhookSenderTest, ReceiversThatHangDelayTheirOwnTenantOnly) {
  const auto end_job_of = [this](const std::string& id, const std::string& tenant) {
    NewJob order = testing_support::sample_job(id, tenant);
    order.job.webhook_url = "https://" + tenant + ".example.com/hook";
    ASSERT_TRUE(store_->create(order, {100}));
    ASSERT_TRUE(store_->cancel(id));
  };
  for (int i = 0; i < 24; ++i) end_job_of("n" + std::to_string(i), "noisy");
  end_job_of("q", "quiet");
  HangingClient client;
  WebhookSender sender(*store_, client, metrics_, clock_, log_, options_);
  SystemClock pause;
  std::atomic<bool> done{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!done) {
        if (!sender.step()) pause.sleep_for(std::chrono::milliseconds(5));
      }
    });
  }
  EXPECT_TRUE(
      support::eventually([&] { return client.hanging == 2 && client.answered == 1; }, seconds(20)))
      << client.hanging << " hang, " << client.answered << " were answered";
  pause.sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(client.hanging, 2) << "the other two find nothing that they may send";
  client.hang = false;
  client.hang.notify_all();
  EXPECT_TRUE(support::eventually([&] { return client.hanging == 24; }, seconds(20)))
      << "their turn comes again";
  done = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_F(WebhookSenderTest, StoppingSpendsNoEvent) {
  end_job("a");
  sender_->stop();
  EXPECT_FALSE(sender_->step());
  make();
  EXPECT_TRUE(sender_->step());
  EXPECT_EQ(calls_.size(), 1U);
}

}  // namespace pytoon::jobs
