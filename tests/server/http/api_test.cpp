#include <algorithm>
#include <nlohmann/json.hpp>

#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

using nlohmann::json;

class ApiTest : public LiveServer {};

TEST_F(ApiTest, OperatorsNeedNoKey) {
  EXPECT_EQ(get("/health", "").body, R"({"status":"ok"})");
  const Reply ready = get("/ready", "");
  EXPECT_EQ(ready.status, 200);
  EXPECT_EQ(ready.body, R"({"status":"ready","degraded":[]})");
  const Reply metrics = get("/metrics", "");
  EXPECT_EQ(metrics.body, "pytoon_up 1\n");
  EXPECT_TRUE(metrics.headers.at("content-type").starts_with("text/plain"));
  EXPECT_EQ(json::parse(get("/openapi.json", "").body).at("openapi"), "3.1.0");
}

TEST_F(ApiTest, ReadinessNamesWhatIsMissing) {
  service.ready.degraded = {"redis"};
  EXPECT_EQ(get("/ready", "").body, R"({"status":"ready","degraded":["redis"]})");
  service.ready.blocking = {"database"};
  const Reply reply = get("/ready", "");
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(json::parse(reply.body).at("blocking").at(0), "database");
  EXPECT_TRUE(reply.headers.contains("retry-after"));
}

TEST_F(ApiTest, SubmitsAJobOnceAKey) {
  const std::string headers = std::string(kJson) + "Idempotency-Key: k1\r\n";
  const Reply first = post("/api/v1/jobs", headers, R"({"preset_id":"p"})");
  ASSERT_EQ(first.status, 201) << first.body;
  const json body = json::parse(first.body);
  EXPECT_EQ(body.at("status"), "QUEUED");
  EXPECT_EQ(body.at("segments"), 3);
  EXPECT_EQ(first.headers.at("location"), "/api/v1/jobs/" + body.at("job_id").get<std::string>());
  EXPECT_FALSE(first.headers.contains("idempotency-replayed"));
  const Reply again = post("/api/v1/jobs", headers, R"({"preset_id":"p"})");
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.headers.at("idempotency-replayed"), "true");
  EXPECT_EQ(json::parse(again.body).at("job_id"), body.at("job_id"));
  EXPECT_EQ(service.submissions, 1);
}

TEST_F(ApiTest, RefusesBodiesThatAreNotStrictJson) {
  for (const char* body : {"{", "[1e400]", R"({"a":1,"a":2})", "\xef\xbb\xbf{}", "\"\xff\""}) {
    const Reply reply = post("/api/v1/jobs", kJson, body);
    EXPECT_EQ(reply.status, 400) << body;
    EXPECT_EQ(reply.headers.at("content-type"), "application/problem+json");
    EXPECT_EQ(json::parse(reply.body).at("type"), "urn:pytoon:problem:malformed");
  }
  EXPECT_EQ(post("/api/v1/jobs", kJson, std::string(200'000, '[')).status, 400);
  EXPECT_EQ(post("/api/v1/jobs", kJson, "").status, 400);
  EXPECT_EQ(post("/api/v1/jobs", "Content-Type: text/plain\r\n", "{}").status, 415);
  EXPECT_EQ(post("/api/v1/jobs", "", "{}").status, 415);
  EXPECT_EQ(post("/api/v1/jobs", std::string(kJson) + "Content-Encoding: gzip\r\n", "{}").status,
            415);
  for (const std::string& key :
       {std::string("a b"), std::string("caf\xc3\xa9"), std::string(256, 'k')}) {
    EXPECT_EQ(
        post("/api/v1/jobs", std::string(kJson) + "Idempotency-Key: " + key + "\r\n", "{}").status,
        400)
        << key;
  }
  EXPECT_EQ(post("/api/v1/jobs", kJson, std::string(1'000'001, ' ')).status, 413);
  EXPECT_EQ(service.submissions, 0);
}

TEST_F(ApiTest, ADryRunTellsAndStoresNothing) {
  const Reply told = post("/api/v1/jobs?dry_run=true", kJson, R"({"preset_id":"p"})");
  ASSERT_EQ(told.status, 200) << told.body;
  EXPECT_FALSE(told.headers.contains("location"));
  const json estimate = json::parse(told.body);
  EXPECT_EQ(estimate.at("dry_run"), true);
  EXPECT_EQ(estimate.at("segments"), 2);
  EXPECT_EQ(estimate.at("plan").at(0).at("footage_lane"), "generate");
  EXPECT_TRUE(estimate.at("plan").at(1).at("compositor_lane").is_null());
  EXPECT_EQ(estimate.at("vram").at("render").at("bytes"), 1 << 20);
  EXPECT_TRUE(estimate.at("vram").at("generate").at("bytes").is_null());
  EXPECT_TRUE(estimate.at("wait").at("seconds").is_null());
  EXPECT_EQ(estimate.at("run").at("seconds"), 2.5);
  EXPECT_EQ(estimate.at("warnings").at(0).at("pointer"), "/preset_id");
  EXPECT_EQ(service.submissions, 0);
  EXPECT_EQ(post("/api/v1/jobs?dry_run=false", kJson, R"({"preset_id":"p"})").status, 201);
  EXPECT_EQ(service.submissions, 1);
  for (const char* value : {"1", "yes", "TRUE", ""}) {
    const Reply odd =
        post(std::string("/api/v1/jobs?dry_run=") + value, kJson, R"({"preset_id":"p"})");
    EXPECT_EQ(odd.status, 422) << value;
    EXPECT_EQ(json::parse(odd.body).at("errors").at(0).at("pointer"), "/dry_run");
  }
  EXPECT_EQ(post("/api/v1/jobs?dry_run=true", kJson, "{").status, 400);
  EXPECT_EQ(service.submissions, 1);
}

TEST_F(ApiTest, AFullQueueSaysWhenItHasRoom) {
  service.submit_failure = failure(FailureKind::kRateLimited, "full");
  for (const char* path : {"/api/v1/jobs", "/api/v1/jobs?dry_run=true"}) {
    const Reply refused = post(path, kJson, R"({"preset_id":"p"})");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.headers.at("retry-after"), "37");
    EXPECT_EQ(json::parse(refused.body).at("type"), "urn:pytoon:problem:rate-limited");
  }
}

TEST_F(ApiTest, ShowsFaultsWithPointers) {
  const Reply reply = post("/api/v1/jobs", kJson, "{}");
  EXPECT_EQ(reply.status, 422);
  const json problem = json::parse(reply.body);
  EXPECT_EQ(problem.at("type"), "urn:pytoon:problem:invalid");
  EXPECT_EQ(problem.at("errors").at(0).at("pointer"), "/preset_id");
}

TEST_F(ApiTest, TellsWhenToComeBack) {
  for (const auto& [kind, status] :
       {std::pair{FailureKind::kRateLimited, 429}, std::pair{FailureKind::kUnavailable, 503},
        std::pair{FailureKind::kStorageFull, 507}}) {
    service.submit_failure = failure(kind, "secret-path /srv/x");
    const Reply reply = post("/api/v1/jobs", kJson, R"({"preset_id":"p"})");
    EXPECT_EQ(reply.status, status);
    EXPECT_GE(std::stoi(reply.headers.at("retry-after")), 1);
  }
  service.submit_failure = failure(FailureKind::kIo, "can't open /srv/secret");
  const Reply reply = post("/api/v1/jobs", kJson, R"({"preset_id":"p"})");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  server.reset();
  EXPECT_NE(log_text().find("can't open /srv/secret"), std::string::npos);
}

TEST_F(ApiTest, ListsPages) {
  for (int i = 0; i < 5; ++i) service.put(sample_job("list-" + std::to_string(i)));
  const json first = json::parse(get("/api/v1/jobs?status=QUEUED&limit=4").body);
  ASSERT_EQ(first.at("jobs").size(), 4U);
  const std::string cursor = first.at("next_cursor");
  const json second = json::parse(get("/api/v1/jobs?status=QUEUED&limit=4&cursor=" + cursor).body);
  EXPECT_EQ(second.at("jobs").size(), 2U);
  EXPECT_TRUE(second.at("next_cursor").is_null());
  for (const char* query :
       {"limit=0", "limit=201", "limit=x", "limit=-1", "limit=1e1", "status=queued"}) {
    EXPECT_EQ(get(std::string("/api/v1/jobs?") + query).status, 422) << query;
  }
  EXPECT_EQ(get("/api/v1/jobs?limit=1&limit=2").status, 400);
}

TEST_F(ApiTest, ShowsJobsSegmentsAndSpecs) {
  EXPECT_EQ(json::parse(get("/api/v1/jobs/queued").body).at("job_id"), "queued");
  EXPECT_EQ(json::parse(get("/api/v1/jobs/queued/segments").body).at("segments").size(), 2U);
  EXPECT_EQ(json::parse(get("/api/v1/jobs/queued/spec").body).at("render_spec_version"), 1);
  for (const char* path :
       {"/api/v1/jobs/none", "/api/v1/jobs/none/segments", "/api/v1/jobs/none/spec",
        "/api/v1/jobs/none/events", "/api/v1/jobs/none/output", "/api/v1/jobs/a%20b",
        "/api/v1/jobs/queued/", "/api/v1/nothing", "/api", "/favicon.ico"}) {
    const Reply reply = get(path);
    EXPECT_EQ(reply.status, 404) << path;
    EXPECT_EQ(json::parse(reply.body).at("status"), 404);
  }
  EXPECT_EQ(get("/api/v1/jobs/queued/output").status, 409);
}

TEST_F(ApiTest, AnswersEveryMethodRight) {
  const Reply wrong = client().ask(request("DELETE", "/api/v1/jobs", key_header(kAdminKey)));
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.headers.at("allow"), "GET, HEAD, POST, OPTIONS");
  const Reply options_reply = client().ask(request("OPTIONS", "/health"));
  EXPECT_EQ(options_reply.status, 204);
  EXPECT_EQ(options_reply.headers.at("allow"), "GET, HEAD, OPTIONS");
  EXPECT_FALSE(options_reply.headers.contains("content-length"));
  EXPECT_EQ(client().ask(request("OPTIONS", "*")).status, 204);
  RawClient head_client = client();
  head_client.send(request("HEAD", "/health"));
  const Reply head = head_client.reply(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "15");
  EXPECT_EQ(head_client.ask(request("GET", "/health")).body, R"({"status":"ok"})");
  EXPECT_EQ(client().ask(request("GET", "/health", "", "a body")).status, 400);
}

TEST_F(ApiTest, APreviewSaysItsMoments) {
  const auto preview = [&](const std::string& query) {
    return post("/api/v1/preview" + query, kJson, R"({"preset_id":"p"})", kSubmitKey);
  };
  const Reply shown = preview("?at_seconds=1.5");
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.headers.at("content-type"), "image/jpeg");
  EXPECT_NE(shown.body.find("1 frames at 1.5"), std::string::npos);
  EXPECT_NE(preview("").body.find("1 frames at 0.0"), std::string::npos);
  const std::string strip = preview("?at_seconds=2&frames=12&step_seconds=0.25").body;
  EXPECT_NE(strip.find("12 frames at 2.000000 step 0.25"), std::string::npos) << strip;
  for (const char* wrong : {"-1", "61", "1s", "", "nan", "1e1", "0x1"}) {
    EXPECT_EQ(preview(std::string("?at_seconds=") + wrong).status, 422) << wrong;
    EXPECT_EQ(preview(std::string("?step_seconds=") + wrong).status, 422) << wrong;
  }
  for (const char* wrong : {"0", "13", "-1", "1.5", ""}) {
    EXPECT_EQ(preview(std::string("?frames=") + wrong).status, 422) << wrong;
  }
  EXPECT_EQ(post("/api/v1/preview", kJson, "{}", kSubmitKey).status, 422);
}

TEST_F(ApiTest, DeliveriesShowTheReceiverWithoutItsSecrets) {
  const Reply reply = get("/api/v1/jobs/finished/webhook", kReadKey);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body.find("secret"), std::string::npos);
  const json first = json::parse(reply.body).at("deliveries").at(0);
  EXPECT_EQ(first.at("receiver"), "https://hooks.example.com:443");
  EXPECT_EQ(first.at("state"), "pending");
  EXPECT_EQ(get("/api/v1/jobs/finished/webhook", kOtherKey).status, 404);

  EXPECT_EQ(get("/api/v1/admin/webhooks?state=given_up&limit=7").status, 200);
  EXPECT_EQ(service.last_delivery_query.state, jobs::DeliveryState::kGivenUp);
  EXPECT_EQ(service.last_delivery_query.limit, 7);
  EXPECT_EQ(get("/api/v1/admin/webhooks", kReadKey).status, 403);
  for (const char* wrong : {"state=lost", "limit=0", "limit=201", "limit=x"}) {
    EXPECT_EQ(get(std::string("/api/v1/admin/webhooks?") + wrong).status, 422) << wrong;
  }
}

TEST_F(ApiTest, HidesWhatAHandlerThrows) {
  service.on_job = [] { throw std::runtime_error("password=hunter2"); };
  const Reply reply = get("/api/v1/jobs/queued");
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body.find("hunter2"), std::string::npos);
  EXPECT_EQ(json::parse(reply.body).at("type"), "urn:pytoon:problem:internal");
  service.on_job = [] { throw 7; };
  EXPECT_EQ(get("/api/v1/jobs/queued").status, 500);
  service.on_job = nullptr;
  EXPECT_EQ(get("/api/v1/jobs/queued").status, 200);
}

TEST_F(ApiTest, KeepsConnectionsAndPipelines) {
  RawClient client = this->client();
  std::string many;
  for (int i = 0; i < 20; ++i) {
    many += request("GET", i % 2 == 0 ? "/health" : "/api/v1/jobs/queued", key_header(kReadKey));
  }
  many += request("POST", "/api/v1/jobs", key_header(kSubmitKey) + std::string(kJson),
                  R"({"preset_id":"p"})");
  ASSERT_TRUE(client.send(many));
  for (int i = 0; i < 20; ++i) {
    const Reply reply = client.reply();
    EXPECT_EQ(reply.status, 200) << i;
    EXPECT_EQ(reply.headers.at("connection"), "keep-alive");
    EXPECT_EQ(reply.body.find("job_id") != std::string::npos, i % 2 == 1) << "out of order";
  }
  EXPECT_EQ(client.reply().status, 201);
  const Reply last = client.ask(request("GET", "/health", "Connection: close\r\n"));
  EXPECT_EQ(last.headers.at("connection"), "close");
  EXPECT_TRUE(client.ended_within(std::chrono::seconds(5)));
}

TEST_F(ApiTest, ObservesPatternsNotPaths) {
  get("/api/v1/jobs/queued");
  get("/api/v1/jobs/none");
  get("/nowhere/secret");
  client().ask("nonsense\r\n\r\n");
  const auto seen = [&](const std::string& route, int status) {
    const auto all = served();
    return std::any_of(all.begin(), all.end(), [&](const AccessRecord& one) {
      return one.route == route && one.status == status && one.seconds >= 0 && one.bytes > 0;
    });
  };
  EXPECT_TRUE(eventually([&] { return seen("/api/v1/jobs/{id}", 200); }));
  EXPECT_TRUE(eventually([&] { return seen("/api/v1/jobs/{id}", 404); }));
  EXPECT_TRUE(eventually([&] { return seen("unmatched", 404); }));
  EXPECT_TRUE(eventually([&] { return seen("unmatched", 400); }));
}

TEST_F(ApiTest, LogsChangesAndErrorsWithoutKeys) {
  post("/api/v1/jobs", kJson, R"({"preset_id":"p"})");
  get("/api/v1/jobs/queued");
  get("/api/v1/jobs", "wrong-secret-key");
  server.reset();
  const std::string text = log_text();
  EXPECT_NE(
      text.find(R"("event":"http_request","method":"POST","route":"/api/v1/jobs","status":201)"),
      std::string::npos);
  EXPECT_NE(text.find("\"status\":401"), std::string::npos);
  EXPECT_EQ(text.find("/api/v1/jobs/{id}"), std::string::npos)
      << "reads that succeed are not logged";
  EXPECT_EQ(text.find("wrong-secret-key"), std::string::npos);
  EXPECT_EQ(text.find(kAdminKey), std::string::npos);
}

class RateTest : public LiveServer {
  void SetUp() override {
    options.plans["default"] = {.requests_per_second = 0.01, .request_burst = 3};
    start();
  }
};

// draft-ietf-httpapi-ratelimit-headers-10
TEST_F(RateTest, SaysHowManyRequestsAreLeft) {
  const auto told = [](const Reply& reply) {
    return reply.headers.at("ratelimit-policy") + " " + reply.headers.at("ratelimit");
  };
  EXPECT_EQ(told(get("/api/v1/jobs", kReadKey)), R"("default";q=3;w=300 "default";r=2;t=100)");
  EXPECT_EQ(told(get("/api/v1/jobs/nobody", kReadKey)),
            R"("default";q=3;w=300 "default";r=1;t=200)");
  EXPECT_EQ(told(get("/api/v1/admin/keys", kReadKey)),
            R"("default";q=3;w=300 "default";r=0;t=100)");
  const Reply refused = get("/api/v1/jobs", kReadKey);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(told(refused), R"("default";q=3;w=300 "default";r=0;t=100)");
  EXPECT_FALSE(get("/health", kReadKey).headers.contains("ratelimit"));
  EXPECT_FALSE(get("/api/v1/jobs", "wrong-key-000").headers.contains("ratelimit"));
}

class PlanTest : public LiveServer {
 protected:
  void SetUp() override {
    options.plans["default"].connections = 2;
    options.plans["default"].uploads_at_once = 1;
    options.plans["default"].refused_uploads_per_minute = 2;
    start();
  }
};

TEST_F(PlanTest, ATenantHasItsConnectionsAndOthersHaveTheirs) {
  const auto ask = [](RawClient& client, std::string_view key) {
    return client.ask(request("GET", "/api/v1/jobs", key_header(key))).status;
  };
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(client());
  EXPECT_EQ(ask(clients[0], kReadKey), 200);
  EXPECT_EQ(ask(clients[1], kBothKey), 200) << "the same tenant";
  EXPECT_EQ(ask(clients[2], kReadKey), 429);
  EXPECT_EQ(ask(clients[0], kReadKey), 200) << "on a connection that counts already";
  EXPECT_EQ(ask(clients[3], kOtherKey), 200);
  EXPECT_EQ(ask(clients[4], kAdminKey), 200);
  clients.erase(clients.begin());
  EXPECT_TRUE(eventually([&] {
    RawClient fresh = client();
    return ask(fresh, kReadKey) == 200;
  })) << "closed ones count no more";
}

TEST_F(PlanTest, ATenantUploadsAsManyFilesAtOnceAsItMay) {
  const std::string upload =
      request("POST", kUpload, key_header(kSubmitKey) + std::string(kFormType),
              form_of("some bytes of a picture", "image"));
  RawClient slow = client();
  ASSERT_TRUE(slow.send(std::string_view(upload).substr(0, upload.size() - 10)));
  EXPECT_TRUE(eventually([&] { return server->in_flight() == 1; }));
  const Reply refused = client().ask(upload);
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.headers.contains("retry-after"));
  ASSERT_TRUE(slow.send(std::string_view(upload).substr(upload.size() - 10)));
  EXPECT_EQ(slow.reply().status, 201);
  EXPECT_TRUE(eventually([&] { return client().ask(upload).status == 201; }));
}

TEST_F(PlanTest, ATenantWhoseUploadsAreRefusedHasToWait) {
  const auto upload = [&](std::string_view key, std::string_view category) {
    return client().ask(request("POST", kUpload, key_header(key) + std::string(kFormType),
                                form_of("no sound at all", category)));
  };
  EXPECT_EQ(upload(kSubmitKey, "image").status, 201);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(upload(kSubmitKey, "audio").status, 422) << i;
  const Reply refused = upload(kSubmitKey, "image");
  EXPECT_EQ(refused.status, 429);
  EXPECT_NEAR(std::stoi(refused.headers.at("retry-after")), 30, 1);
  EXPECT_EQ(upload(kBothKey, "image").status, 429) << "another key of the tenant";
  EXPECT_EQ(get("/api/v1/jobs", kBothKey).status, 200);
  EXPECT_EQ(upload(kAdminKey, "image").status, 201) << "another tenant";
}

TEST_F(RateTest, AnswersTooManyRequestsPerKey) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/api/v1/jobs", kReadKey).status, 200);
  const Reply reply = get("/api/v1/jobs", kReadKey);
  EXPECT_EQ(reply.status, 429);
  EXPECT_GT(std::stoi(reply.headers.at("retry-after")), 50);
  EXPECT_EQ(get("/api/v1/jobs", kOtherKey).status, 200);
  EXPECT_EQ(get("/health", "").status, 200);
}

}  // namespace
}  // namespace pytoon::http::testing_support
