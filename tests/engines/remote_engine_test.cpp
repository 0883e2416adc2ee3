#include "engines/remote/remote_engine.h"

#include <gtest/gtest.h>

#include "tests/engines/engine_fixture.h"
#include "tests/support/fake_remote_server.h"
#include "tests/support/source_dir.h"

namespace pytoon::engines {
namespace {

namespace fs = std::filesystem;
using Fault = support::RemotePlan::Fault;
using support::FakeRemoteServer;

// Refuses each call a few times before it lets it through.
class AbsentLedger final : public SpendLedger {
 public:
  explicit AbsentLedger(SpendLedger& real) : real_(real) {}
  Result<Purchase> reserve(const Reservation& wish, const SpendCaps& caps) override {
    if (Status there = look(); !there) return there.failure();
    return real_.reserve(wish, caps);
  }
  Status ordered(const std::string& key, const std::string& id) override {
    if (Status there = look(); !there) return there;
    return real_.ordered(key, id);
  }
  Status ended(const std::string& key) override { return real_.ended(key); }
  Status released(const std::string& key) override { return real_.released(key); }
  Result<std::int64_t> spent_today_micro_usd() override { return real_.spent_today_micro_usd(); }
  int refusals = 3;

 private:
  Status look() {
    if (refused_++ < refusals) return failure(FailureKind::kUnavailable, "the database is away");
    refused_ = 0;
    return ok_status();
  }

  SpendLedger& real_;
  int refused_ = 0;
};

class RemoteEngineTest : public EngineTest {
 protected:
  RemoteEngineTest() {
    server_.plan.clip = kGoodClip;
    Result<Provider> provider =
        read_provider(support::source_dir() / "config/providers/generic.yaml");
    EXPECT_TRUE(provider) << provider.failure().detail;
    settings_.provider = std::move(*provider);
    settings_.provider.poll.interval = std::chrono::milliseconds(5);
    settings_.provider.capabilities.micro_usd_per_second = 100'000;
    settings_.base_url = server_.url();
    settings_.key = FakeRemoteServer::kKey;
    settings_.request = std::chrono::milliseconds(400);
    settings_.backoff = {std::chrono::milliseconds(5), std::chrono::milliseconds(20)};
    settings_.stall = std::chrono::seconds(1);
    settings_.clip_bytes_max = 2'000'000;
  }

  std::unique_ptr<RemoteEngine> engine() {
    auto made = RemoteEngine::make(settings_, {http_, clock_, *ledger_, verify_, log_, caps_});
    EXPECT_TRUE(made) << made.failure().detail;
    return std::move(*made);
  }
  Result<plan::SegmentSource> generate(int segment = 0) {
    return engine()->generate(request(segment), watch_);
  }
  void expect_failed(const Result<plan::SegmentSource>& generated, FailureKind kind,
                     const std::string& words) {
    EngineTest::expect_failed(generated, kind, words, FakeRemoteServer::kKey);
  }

  void cancel_while_polling() {
    const Result<plan::SegmentSource> generated =
        cancelled_once([&] { return server_.connections() >= 6; }, [&] { return generate(); });
    expect_failed(generated, FailureKind::kCancelled, "");
  }

  FakeRemoteServer server_;
  SpendCaps caps_{5'000'000, 50'000'000};
  RemoteSettings settings_;
};

TEST_F(RemoteEngineTest, OrdersFollowsAndFetches) {
  std::vector<double> progress;
  watch_.progress = [&progress](double p) { progress.push_back(p); };
  expect_good(generate());
  EXPECT_EQ(server_.paid, 1);
  EXPECT_EQ(server_.images.at(0), "\x89PNG picture");
  EXPECT_EQ(server_.orders.at(0)["image"], "image-1");
  EXPECT_EQ(server_.orders.at(0)["prompt"], "a \"quoted\" sea {{seed}}");
  EXPECT_EQ(server_.orders.at(0)["seconds"], 3);
  EXPECT_EQ(progress, (std::vector<double>{0.5, 0.5}));
  EXPECT_TRUE(server_.faults.empty());
}

TEST_F(RemoteEngineTest, QuotesWhatItWillPay) {
  const Result<Quote> quoted = engine()->quote(request());
  ASSERT_TRUE(quoted) << quoted.failure().detail;
  EXPECT_EQ(server_.connections(), 0);
  expect_good(generate());
  EXPECT_EQ(*ledger_->spent_today_micro_usd(), quoted->micro_usd);
  EXPECT_EQ(quoted->micro_usd, 300'000);
  EXPECT_EQ(quoted->at_once, settings_.slots);
  EXPECT_EQ(quoted->workflow, "");
}

TEST_F(RemoteEngineTest, WithoutAnImageThereIsNoTraceOfOne) {
  FootageRequest wish = request();
  wish.image.reset();
  expect_good(engine()->generate(wish, watch_));
  EXPECT_FALSE(server_.orders.at(0).contains("image"));
  EXPECT_TRUE(server_.images.empty());
}

TEST_F(RemoteEngineTest, AskedAgainItFetchesWithoutPayingAgain) {
  expect_good(generate());
  fs::remove(request().output);
  expect_good(generate());
  EXPECT_EQ(server_.paid, 1);
  expect_good(generate(1));
  FootageRequest later = request();
  later.run = 1;
  expect_good(engine()->generate(later, watch_));
  EXPECT_EQ(server_.paid, 3);
}

TEST_F(RemoteEngineTest, BusyIsWaitedFor) {
  server_.plan.fault = Fault::kBusy;
  server_.plan.times = 2;
  expect_good(generate());
  EXPECT_EQ(server_.paid, 1);
}

TEST_F(RemoteEngineTest, BusyForEverIsGivenUpAndCostsNothing) {
  server_.plan.fault = Fault::kBusy;
  expect_failed(generate(), FailureKind::kRateLimited, "429");
  EXPECT_EQ(server_.paid, 0);
  server_.plan.fault = Fault::kNone;
  expect_good(generate());
}

TEST_F(RemoteEngineTest, AnOrderWithAKeyIsSentAgainWhenItsAnswerIsLost) {
  for (const Fault fault : {Fault::kServerError, Fault::kLostAnswer, Fault::kHangs}) {
    server_.plan.fault = fault;
    server_.plan.times = 1;
    expect_good(generate(static_cast<int>(fault)));
  }
  EXPECT_EQ(server_.paid, 3);
  EXPECT_EQ(server_.keys.size(), 5U);
}

TEST_F(RemoteEngineTest, AnOrderWithoutAKeyIsNeverSentAgain) {
  settings_.provider.submit.idempotency_header.clear();
  server_.plan.fault = Fault::kLostAnswer;
  ASSERT_FALSE(generate());
  {
    const auto quiet = server_.between_calls();
    EXPECT_EQ(server_.paid, 1);
    server_.plan.fault = Fault::kNone;
  }
  expect_failed(generate(), FailureKind::kForbidden, "not asked twice");
  EXPECT_EQ(server_.paid, 1);
}

TEST_F(RemoteEngineTest, ARefusalSaysWhyAndCostsNothing) {
  server_.plan.fault = Fault::kRefuses;
  expect_failed(generate(), FailureKind::kEngine, "422: {\"error\":\"the prompt is not allowed\"}");
  server_.plan.fault = Fault::kNone;
  expect_good(generate());
}

TEST_F(RemoteEngineTest, AnOrderThatFailedIsNotPaidForAgain) {
  server_.plan.fault = Fault::kFails;
  expect_failed(generate(), FailureKind::kEngine, "failed: the model gave up");
  server_.plan.fault = Fault::kNone;
  expect_failed(generate(), FailureKind::kForbidden, "gave nothing");
  EXPECT_EQ(server_.paid, 1);
}

TEST_F(RemoteEngineTest, ALostOrderIsOver) {
  server_.plan.fault = Fault::kForgets;
  expect_failed(generate(), FailureKind::kEngine, "lost the order");
}

TEST_F(RemoteEngineTest, TroublesWhilePollingPassOrEndIt) {
  server_.plan.fault = Fault::kPollErrors;
  server_.plan.times = 5;
  expect_good(generate());
  server_.plan.fault = Fault::kGarbage;
  server_.plan.times = 5;
  expect_good(generate(1));
  server_.plan.times = 1000;
  fs::remove(request().output);
  expect_failed(generate(2), FailureKind::kEngine, "answers 200 when polled: no JSON");
}

TEST_F(RemoteEngineTest, BadVideosAreNoClips) {
  int segment = 0;
  for (const Fault fault : {Fault::kHtml, Fault::kHuge, Fault::kTrickle, Fault::kNoVideo}) {
    server_.plan = {};
    server_.plan.fault = fault;
    server_.plan.clip = std::string(fault == Fault::kTrickle ? 5000 : 10, 'x');
    const Result<plan::SegmentSource> generated = generate(++segment);
    ASSERT_FALSE(generated);
    EXPECT_FALSE(fs::exists(request(segment).output));
  }
  EXPECT_EQ(server_.paid, 4);
}

TEST_F(RemoteEngineTest, ACutVideoIsFetchedAgain) {
  server_.plan.fault = Fault::kCut;
  server_.plan.times = 1;
  expect_good(generate());
  EXPECT_EQ(server_.paid, 1);
}

TEST_F(RemoteEngineTest, NothingLeadsItToAnInnerAddress) {
  support::FakeHttpServer inner([](const support::Call&) {
    return support::Reply{200, kGoodClip};
  });
  int segment = 0;
  for (const Fault fault : {Fault::kRedirect, Fault::kLink}) {
    for (const std::string& link :
         {inner.url("/x"), "http://localhost:" + std::to_string(inner.port()) + "/",
          std::string("file:///etc/hostname"), std::string("http://169.254.169.254/latest/")}) {
      server_.plan.fault = fault;
      server_.plan.redirect_to = link;
      const Result<plan::SegmentSource> generated = generate(++segment);
      ASSERT_FALSE(generated) << link;
      EXPECT_EQ(generated.failure().kind, FailureKind::kEngine) << generated.failure().detail;
    }
  }
  EXPECT_EQ(inner.connections(), 0);
}

TEST_F(RemoteEngineTest, ABaseUrlInPublicNeverLeadsInside) {
  // A name, so nobody wrote down that it is private: that it resolves to one is refused.
  settings_.base_url = "http://localhost.:" + server_.url().substr(17);
  const Result<plan::SegmentSource> generated = generate();
  ASSERT_FALSE(generated);
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(RemoteEngineTest, CapsStopBeforeTheOrder) {
  caps_ = {500'000, 700'000};  // 0.50 USD a job, 0.70 a day; a segment: 0.30
  const auto made = engine();
  expect_good(made->generate(request(0), watch_));
  fs::remove(request(0).output);
  expect_failed(made->generate(request(1), watch_), FailureKind::kForbidden,
                "the job would spend more than 0.50 USD");
  FootageRequest other = request(2);
  other.job_id = "job-2";
  expect_good(made->generate(other, watch_));
  other.job_id = "job-3";
  EXPECT_EQ(made->generate(other, watch_).failure().detail,
            "today more than 0.70 USD would be spent");
  EXPECT_EQ(server_.paid, 2);
}

TEST_F(RemoteEngineTest, TwoWorkersShareOneCap) {
  caps_ = {500'000, 700'000};
  const auto one = engine();
  const auto other = engine();
  expect_good(one->generate(request(0), watch_));
  fs::remove(request(0).output);
  expect_failed(other->generate(request(1), watch_), FailureKind::kForbidden,
                "the job would spend");
  EXPECT_EQ(*ledger_->spent_today_micro_usd(), 300'000);
}

TEST_F(RemoteEngineTest, ALedgerThatIsAwayForAMomentIsWaitedFor) {
  AbsentLedger absent(*ledger_);
  auto made = RemoteEngine::make(settings_, {http_, clock_, absent, verify_, log_, caps_});
  ASSERT_TRUE(made);
  expect_good((*made)->generate(request(), watch_));
  EXPECT_EQ(server_.paid, 1);
  EXPECT_EQ(ledger_->reserve({"api:" + request().key(), "job-1", 0}, {})->remote_id, "order-1");
}

TEST_F(RemoteEngineTest, WithoutALedgerNothingIsOrdered) {
  AbsentLedger absent(*ledger_);
  absent.refusals = 1'000'000;
  auto made = RemoteEngine::make(settings_, {http_, clock_, absent, verify_, log_, caps_});
  ASSERT_TRUE(made);
  watch_.deadline = clock_.steady_now() + std::chrono::milliseconds(60);
  expect_failed((*made)->generate(request(), watch_), FailureKind::kUnavailable, "is away");
  EXPECT_EQ(server_.paid, 0);
}

TEST_F(RemoteEngineTest, AnInterruptionLeavesTheOrderForLater) {
  server_.plan.fault = Fault::kUnfinished;
  watch_.discarded = [] { return false; };
  cancel_while_polling();
  EXPECT_TRUE(server_.cancelled.empty());
  EXPECT_EQ(lines_.str(), "");
  server_.plan.fault = Fault::kNone;
  watch_.cancel = CancelToken();
  expect_good(generate());
  EXPECT_EQ(server_.paid, 1);
}

TEST_F(RemoteEngineTest, WhenNobodyWillAskAgainTheOrderIsCancelledThere) {
  server_.plan.fault = Fault::kUnfinished;
  watch_.discarded = [] { return true; };
  watch_.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  cancel_while_polling();
  EXPECT_EQ(server_.cancelled, std::vector<std::string>{"order-1"});
  EXPECT_NE(lines_.str().find("remote_order_cancelled"), std::string::npos) << lines_.str();
  EXPECT_NE(lines_.str().find(R"("trace_id":"0af7651916cd43dd8448eb211c80319c")"),
            std::string::npos);
  EXPECT_NE(lines_.str().find("order-1"), std::string::npos);
  EXPECT_EQ(lines_.str().find("billed"), std::string::npos);
  EXPECT_EQ(lines_.str().find(FakeRemoteServer::kKey), std::string::npos);
}

TEST_F(RemoteEngineTest, AProviderThatCantCancelIsSentNothingAndTheLogSaysSo) {
  server_.plan.fault = Fault::kUnfinished;
  settings_.provider.cancel.reset();
  watch_.discarded = [] { return true; };
  cancel_while_polling();
  EXPECT_TRUE(server_.cancelled.empty());
  EXPECT_NE(lines_.str().find("no way to cancel"), std::string::npos) << lines_.str();
  EXPECT_NE(lines_.str().find("may still be billed"), std::string::npos);
}

TEST_F(RemoteEngineTest, ACancelThatIsRefusedIsLogged) {
  server_.plan.fault = Fault::kUncancelable;
  watch_.discarded = [] { return true; };
  cancel_while_polling();
  EXPECT_EQ(server_.cancelled, std::vector<std::string>{"order-1"});
  EXPECT_NE(lines_.str().find("it answers 409"), std::string::npos) << lines_.str();
  EXPECT_NE(lines_.str().find("may still be billed"), std::string::npos);
}

TEST_F(RemoteEngineTest, CancelledWhileItIsSentAnOrderMayBeBilled) {
  server_.plan.fault = Fault::kHangs;
  settings_.request = std::chrono::seconds(20);
  watch_.discarded = [] { return true; };
  const Result<plan::SegmentSource> generated =
      cancelled_once([&] { return server_.taken() > 0; }, [&] { return generate(); });
  expect_failed(generated, FailureKind::kCancelled, "");
  EXPECT_NE(lines_.str().find("while it was being sent"), std::string::npos) << lines_.str();
}

TEST_F(RemoteEngineTest, OutOfTimeItCancelsTheOrder) {
  server_.plan.fault = Fault::kUnfinished;
  watch_.deadline = clock_.steady_now() + std::chrono::milliseconds(200);
  expect_failed(generate(), FailureKind::kTimeout, "");
  EXPECT_EQ(server_.cancelled, std::vector<std::string>{"order-1"});
}

TEST_F(RemoteEngineTest, HealthIsAsked) {
  EXPECT_TRUE(engine()->health(watch_));
  server_.plan.fault = Fault::kSick;
  EXPECT_EQ(engine()->health(watch_).failure().detail, "its health check answers 500");
  server_.stop();
  EXPECT_EQ(engine()->health(watch_).failure().kind, FailureKind::kUnavailable);
}

TEST_F(RemoteEngineTest, AnUnreachableProviderCostsNothing) {
  const auto made = engine();
  server_.stop();
  ASSERT_FALSE(made->generate(request(), watch_));
  const Result<Purchase> again = ledger_->reserve({"api:" + request().key(), "job-1", 0}, {});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->state, Purchase::State::kNew);
}

TEST(Durations, AreTheProvidersOwn) {
  Provider provider;
  EXPECT_EQ(provider.duration_for(3), 3);
  provider.durations_seconds = {5, 10};
  EXPECT_EQ(provider.duration_for(3), 5);
  EXPECT_EQ(provider.duration_for(6), 10);
  EXPECT_EQ(provider.duration_for(12), 10);
}

}  // namespace
}  // namespace pytoon::engines
