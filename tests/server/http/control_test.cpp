#include <nlohmann/json.hpp>

#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

using nlohmann::json;

class ControlTest : public LiveServer {
 protected:
  void expect_problem(const Reply& reply, int status, const std::string& type) {
    EXPECT_EQ(reply.status, status) << reply.body;
    EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json");
    EXPECT_EQ(json::parse(reply.body).at("type"), "urn:pytoon:problem:" + type);
  }
};

TEST_F(ControlTest, CancelsOnceAndSaysWhyNotTwice) {
  const Reply cancelled = post("/api/v1/jobs/queued/cancel", "", "", kBothKey);
  ASSERT_EQ(cancelled.status, 200) << cancelled.body;
  EXPECT_EQ(json::parse(cancelled.body).at("status"), "CANCELLED");
  const Reply again = post("/api/v1/jobs/queued/cancel", "", "", kBothKey);
  expect_problem(again, 409, "conflict");
  EXPECT_NE(json::parse(again.body).at("detail").get<std::string>().find("CANCELLED"),
            std::string::npos);
  expect_problem(post("/api/v1/jobs/finished/cancel", "", "", kBothKey), 409, "conflict");
}

TEST_F(ControlTest, OnlyWhatFailedIsRetried) {
  expect_problem(post("/api/v1/jobs/queued/retry", "", "", kBothKey), 409, "conflict");
  service.change("queued", [](jobs::Job& job) { job.status = jobs::JobStatus::kFailed; });
  const Reply retried = post("/api/v1/jobs/queued/retry", "", "", kBothKey);
  ASSERT_EQ(retried.status, 200);
  EXPECT_EQ(json::parse(retried.body).at("status"), "QUEUED");
}

TEST_F(ControlTest, AWebhookIsSentAgainOnceThereIsOne) {
  expect_problem(post("/api/v1/jobs/queued/webhook/redeliver", "", ""), 409, "conflict");
  EXPECT_EQ(post("/api/v1/jobs/finished/webhook/redeliver", "", "").status, 202);
  expect_problem(post("/api/v1/jobs/nobody/webhook/redeliver", "", ""), 404, "not-found");
}

TEST_F(ControlTest, AnotherTenantsJobCannotBeTouched) {
  for (const char* verb : {"cancel", "retry", "webhook/redeliver"}) {
    const std::string path = std::string("/api/v1/jobs/queued/") + verb;
    expect_problem(post(path, "", "", kOtherKey), 404, "not-found");
  }
  EXPECT_EQ(json::parse(get("/api/v1/jobs/queued").body).at("status"), "QUEUED");
}

TEST_F(ControlTest, AJobIsDeletedOnceItHasEnded) {
  expect_problem(erase("/api/v1/jobs/queued", kBothKey), 409, "conflict");
  expect_problem(erase("/api/v1/jobs/finished", kOtherKey), 404, "not-found");
  expect_problem(erase("/api/v1/jobs/finished", kReadKey), 403, "forbidden");
  expect_problem(erase("/api/v1/jobs/finished", ""), 401, "unauthorized");
  const Reply gone = erase("/api/v1/jobs/finished", kBothKey);
  EXPECT_EQ(gone.status, 204);
  EXPECT_EQ(gone.body, "");
  expect_problem(erase("/api/v1/jobs/finished", kBothKey), 404, "not-found");
}

TEST_F(ControlTest, AnUploadIsDeletedByItsKeyHoweverItsSlashesAreWritten) {
  for (const char* path :
       {"/api/v1/assets/assets/acme/12ab.png", "/api/v1/assets/assets%2Facme%2f12ab.png"}) {
    service.last_deleted_asset = "";
    EXPECT_EQ(erase(path, kSubmitKey).status, 204) << path;
    EXPECT_EQ(service.last_deleted_asset, "assets/acme/12ab.png") << path;
  }
  expect_problem(erase("/api/v1/assets/assets/acme/needed.png", kBothKey), 409, "conflict");
  expect_problem(erase("/api/v1/assets/assets/acme/12ab.png", kOtherKey), 404, "not-found");
  expect_problem(erase("/api/v1/assets/assets/acme/12ab.png", kReadKey), 403, "forbidden");
  expect_problem(erase("/api/v1/assets/upload", kBothKey), 405, "method-not-allowed");
  expect_problem(erase("/api/v1/assets/assets%2F..%2Fkeys.png", kBothKey), 400, "malformed");
  expect_problem(erase("/api/v1/jobs%2Ffinished", kBothKey), 400, "malformed");
}

TEST_F(ControlTest, ATenantIsErasedByAnOperator) {
  const std::string path = "/api/v1/admin/purge";
  expect_problem(post(path, kJson, R"({"tenant":"acme"})", kBothKey), 403, "forbidden");
  expect_problem(post(path, kJson, "{}"), 422, "invalid");
  expect_problem(post(path, kJson, R"({"tenant":7})"), 422, "invalid");
  expect_problem(post(path, kJson, R"({"tenant":"a","all":true})"), 422, "invalid");
  expect_problem(post(path, "", ""), 415, "unsupported-type");
  const Reply purged = post(path, kJson, R"({"tenant":"acme"})");
  ASSERT_EQ(purged.status, 200) << purged.body;
  EXPECT_EQ(service.last_purged, "acme");
  EXPECT_EQ(json::parse(purged.body).at("complete"), true);
  EXPECT_EQ(json::parse(purged.body).at("deleted").at("segment"), 6);
}

TEST_F(ControlTest, AnOperatorFailsAJobAndSaysWhy) {
  const std::string path = "/api/v1/admin/jobs/queued/fail";
  expect_problem(post(path, "", "", kBothKey), 403, "forbidden");
  expect_problem(post(path, kJson, "{"), 400, "malformed");
  expect_problem(post(path, kJson, "[]"), 422, "invalid");
  expect_problem(post(path, kJson, R"({"why":"x"})"), 422, "invalid");
  expect_problem(post(path, kJson, R"({"error":7})"), 422, "invalid");
  expect_problem(post(path, "", "{}"), 415, "unsupported-type");
  const Reply failed = post(path, kJson, R"({"error":"stuck"})");
  ASSERT_EQ(failed.status, 200) << failed.body;
  EXPECT_EQ(json::parse(failed.body).at("error"), "stuck");
  expect_problem(post(path, "", ""), 409, "conflict");
  service.put(sample_job("other"));
  const Reply plain = post("/api/v1/admin/jobs/other/fail", "", "");
  EXPECT_EQ(json::parse(plain.body).at("error"), "failed by an operator");
}

TEST_F(ControlTest, TheFleetIsDrainedAndResumed) {
  expect_problem(post("/api/v1/admin/drain", "", "", kBothKey), 403, "forbidden");
  EXPECT_EQ(post("/api/v1/admin/drain", "", "").body, R"({"draining":true})");
  EXPECT_TRUE(service.fleet_draining);
  EXPECT_TRUE(json::parse(get("/api/v1/admin/capacity").body).at("draining"));
  EXPECT_EQ(post("/api/v1/admin/resume", "", "").body, R"({"draining":false})");
  EXPECT_FALSE(service.fleet_draining);
}

TEST_F(ControlTest, CapacityShowsWorkersBacklogAndDeadLetters) {
  expect_problem(get("/api/v1/admin/capacity", kBothKey), 403, "forbidden");
  const json shown = json::parse(get("/api/v1/admin/capacity").body);
  EXPECT_EQ(shown.at("seconds_of_work"), 9.0);
  EXPECT_EQ(shown.at("workers").at(0).at("held"), 3);
  EXPECT_TRUE(shown.at("dead_letters_latest").at(0).at("event_id").is_null());
}

class OperatorsOnlyTest : public LiveServer {
  void SetUp() override {
    options.operators_only = true;
    start();
  }
};

TEST_F(OperatorsOnlyTest, AWorkerShowsItsHealthAndNothingElse) {
  EXPECT_EQ(get("/health", "").status, 200);
  EXPECT_EQ(get("/ready", "").status, 200);
  EXPECT_EQ(get("/metrics", "").status, 200);
  EXPECT_EQ(get("/api/v1/jobs").status, 404);
}

}  // namespace
}  // namespace pytoon::http::testing_support
