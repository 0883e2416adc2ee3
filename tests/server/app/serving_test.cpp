// A process from its start to its exit status, with everything in it but the process.
#include "server/app/serving.h"

#include <pthread.h>

#include "pipeline/media/decoder/local_decoder.h"
#include "tests/server/app/application_fixture.h"
#include "tests/support/eventually.h"

namespace pytoon::app {
namespace {

constexpr std::chrono::seconds kPatience{60};

class ServingTest : public ApplicationTest {
 protected:
  void SetUp() override {
    open(Role::kServe, std::make_shared<media::LocalDecoder>(), 1);
    http::Options options;
    options.port = 0;
    options.spool_folder = folder_.path() / "spool";
    server_ = std::make_unique<http::HttpServer>(options, *http::KeyRing::parse(""),
                                                 application_->service(), clock_, log_,
                                                 callbacks_of(*application_));
    ASSERT_TRUE(server_->start());
  }

  // A job that is being drawn by now.
  std::string job_under_way() {
    const auto submitted = application_->service().submit(
        owner_, {{"preset_id", "product_hero_clean"}, {"target_duration_seconds", 60}}, "");
    EXPECT_TRUE(submitted) << submitted.failure().detail;
    const std::string id = submitted->job_id;
    EXPECT_TRUE(support::eventually(
        [&] { return job(id).status == jobs::JobStatus::kRenderingSegments; }, kPatience));
    return id;
  }
  jobs::Job job(const std::string& id) { return *application_->service().job(owner_, id); }
  HttpAnswer get(const std::string& path) {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + path;
    request.egress = EgressScope::kAny;
    const Result<HttpAnswer> answer = web_.send(request, {});
    EXPECT_TRUE(answer) << answer.failure().detail;
    return answer ? *answer : HttpAnswer{};
  }

  const StopSignals signals_;
  const jobs::Caller owner_{"acme", true, true, true};
  std::unique_ptr<http::HttpServer> server_;
};

TEST_F(ServingTest, AProcessThatCanDoNoMoreSaysSoHandsBackAndExitsForItsSupervisor) {
  const std::string id = job_under_way();
  EXPECT_EQ(get("/health").status, 200);
  application_->process_health().mark_unusable("the context is lost");
  const HttpAnswer health = get("/health");
  EXPECT_EQ(health.status, 503);
  EXPECT_NE(health.body.find("the context is lost"), std::string::npos) << health.body;
  const HttpAnswer ready = get("/ready");
  EXPECT_EQ(ready.status, 503);
  EXPECT_NE(ready.body.find("\"process\""), std::string::npos) << ready.body;
  EXPECT_NE(get("/metrics").body.find("pytoon_process_unusable 1\n"), std::string::npos);

  EXPECT_EQ(run_until_stopped(*application_, *server_, signals_, log_, [] {}), jobs::kExitUnusable);
  EXPECT_NE(lines_.str().find("process_unusable"), std::string::npos);
  EXPECT_EQ(job(id).attempts, 0);
  EXPECT_EQ(job(id).crashes, 0);
  EXPECT_FALSE(is_terminal(job(id).status));
}

TEST(StopSignals, ThreeEndItAndAHangUpReloads) {
  using Order = StopSignals::Order;
  const StopSignals signals;
  const auto order_of = [&](int signal) {
    EXPECT_EQ(::pthread_kill(::pthread_self(), signal), 0);  // blocked, and so it waits
    return signals.wait_for(std::chrono::milliseconds(0));
  };
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT}) {
    EXPECT_EQ(order_of(signal), Order::kStop) << signal;
  }
  EXPECT_EQ(order_of(SIGHUP), Order::kReload);
  EXPECT_EQ(signals.wait_for(std::chrono::milliseconds(0)), Order::kNone);
}

TEST_F(ServingTest, ASignalEndsItWell) {
  ASSERT_EQ(::pthread_kill(::pthread_self(), SIGTERM), 0);  // blocked, and so it waits
  EXPECT_EQ(run_until_stopped(*application_, *server_, signals_, log_, [] {}), 0);
}

TEST_F(ServingTest, HangUpsReloadAndAQuitEndsItWell) {
  int reloads = 0;
  ASSERT_EQ(::pthread_kill(::pthread_self(), SIGHUP), 0);
  EXPECT_EQ(run_until_stopped(*application_, *server_, signals_, log_,
                              [&] {
                                ++reloads;
                                EXPECT_EQ(get("/health").status, 200);
                                ::pthread_kill(::pthread_self(), reloads < 3 ? SIGHUP : SIGQUIT);
                              }),
            0);
  EXPECT_EQ(reloads, 3) << "it went on after each";
}

}  // namespace
}  // namespace pytoon::app
