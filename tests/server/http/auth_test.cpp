#include <map>

#include "base/hash.h"
#include "live_server.h"
#include "server/http/console.h"
#include "server/http/routes.h"

namespace pytoon::http::testing_support {
namespace {

class AuthTest : public LiveServer {};

class GuessingTest : public LiveServer {
 protected:
  void SetUp() override {
    options.failures = {.per_second = 0.01, .burst = 3};
    start();
  }
};

struct Row {
  std::string method;
  std::string pattern;
  Scope scope;
};

std::vector<Row> all_rows(FakeService& service) {
  std::atomic<bool> draining{false};
  const SystemClock clock;
  Credentials credentials("", std::chrono::hours(1), clock);
  std::vector<Row> rows;
  for (const Route& route : all_routes(service, draining, credentials, {})) {
    rows.push_back({std::string(name_of(route.method)), route.pattern, route.scope});
  }
  return rows;
}

std::string path_of(const Row& row) {
  if (row.pattern == "/console/{key}") return console_path("main.js");
  std::string path = row.pattern;
  if (const auto at = path.find("{id}"); at != std::string::npos) path.replace(at, 4, "finished");
  if (const auto at = path.find("{key}"); at != std::string::npos) {
    path.replace(at, 5, "assets/acme/1.png");
  }
  if (const auto at = path.find("{key_id}"); at != std::string::npos) path.replace(at, 8, "key_1");
  return path;
}

bool may(std::string_view key, Scope scope) {
  if (scope == Scope::kOpen || scope == Scope::kAny || key == kAdminKey) return true;
  if (scope == Scope::kRead) return key != kSubmitKey;
  return scope == Scope::kSubmit && key != kReadKey;
}

TEST_F(AuthTest, EveryRouteTimesEveryBadKey) {
  const std::string huge(15'000, 'k');
  const std::vector<std::string> bad{"",
                                     "X-API-Key:\r\n",
                                     "X-API-Key: wrong-key-000\r\n",
                                     "X-API-Key: ADMIN-KEY-1\r\n",
                                     "X-API-Key: admin-key-1x\r\n",
                                     "X-API-Key: admin-key-\r\n",
                                     "X-API-Key: admin-key-1, admin-key-1\r\n",
                                     "X-API-Key: \"admin-key-1\"\r\n",
                                     "X-API-Key: " + huge + "\r\n",
                                     "X-Api-Keys: admin-key-1\r\n",
                                     "Authorization: Bearer admin-key-1\r\n",
                                     "X-HTTP-Method-Override: GET\r\n",
                                     "Cookie: X-API-Key=admin-key-1\r\n"};
  for (const Row& row : all_rows(service)) {
    for (const std::string& headers : bad) {
      const Reply reply = client().ask(request(row.method, path_of(row), headers));
      const int wanted = row.scope == Scope::kOpen ? 200 : 401;
      EXPECT_EQ(reply.status, wanted)
          << row.method << " " << row.pattern << " " << headers.substr(0, 60);
      if (wanted == 401) {
        EXPECT_TRUE(reply.headers.contains("www-authenticate"));
      }
    }
    if (row.scope == Scope::kOpen) continue;
    const std::string twice = key_header("wrong-key-000") + key_header(kAdminKey);
    EXPECT_EQ(client().ask(request(row.method, path_of(row), twice)).status, 400);
    const std::string in_query = path_of(row) + "?X-API-Key=admin-key-1&api_key=admin-key-1";
    EXPECT_EQ(client().ask(request(row.method, in_query)).status, 401);
  }
  EXPECT_EQ(service.submissions, 0);
}

TEST_F(AuthTest, NoSpellingOfAPathGoesRound) {
  for (const char* path : {"/api/v1/jobs?", "/api/v1/%6aobs", "/%61pi/v1/jobs", "/api/v1/jobs;x=1",
                           "/api/v1/JOBS", "/api/v1/jobs/", "/api//v1/jobs", "/api/v1/./jobs",
                           "/api/v1/x/%2e%2e/jobs", "/api/v1/jobs%2ffinished",
                           "/health/../api/v1/jobs", "/api/v1/jobs%00", "/api/v1/nothing"}) {
    const int status = get(path, "").status;
    EXPECT_TRUE(status == 401 || status == 400) << path << " " << status;
  }
  for (const char* method : {"HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    RawClient client = this->client();
    client.send(request(method, "/api/v1/jobs"));
    EXPECT_EQ(client.reply(true).status, 401) << method;
  }
}

TEST_F(AuthTest, EveryRouteTimesEveryScope) {
  for (const Row& row : all_rows(service)) {
    for (const std::string_view key : {kSubmitKey, kReadKey, kBothKey, kAdminKey}) {
      const Reply reply = client().ask(
          request(row.method, path_of(row), key_header(key) + "Connection: close\r\n"));
      EXPECT_EQ(reply.status == 403, !may(key, row.scope))
          << row.method << " " << row.pattern << " " << key;
      EXPECT_NE(reply.status, 401);
    }
  }
}

TEST_F(AuthTest, AnotherTenantsJobIsNotFound) {
  // Of one trace, or each answer would have a number of its own.
  const std::string headers =
      key_header(kOtherKey) +
      "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
  for (const Row& row : all_rows(service)) {
    if (row.pattern.find("{id}") == std::string::npos || row.scope == Scope::kAdmin) continue;
    const Reply theirs = client().ask(request(row.method, path_of(row), headers));
    std::string nobodys = row.pattern;
    nobodys.replace(nobodys.find("{id}"), 4, "nobody");
    const Reply none = client().ask(request(row.method, nobodys, headers));
    EXPECT_EQ(theirs.status, 404) << row.pattern;
    EXPECT_EQ(theirs.body, none.body) << "the answers must not tell them apart";
  }
  EXPECT_EQ(get("/api/v1/jobs", kOtherKey).body, R"({"jobs":[],"next_cursor":null})");
}

TEST_F(GuessingTest, WhoGuessesKeysIsToldToWaitAndHarmsNobodyBesideHim) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/api/v1/jobs", "wrong-key-000").status, 401) << i;
  const Reply refused = get("/api/v1/jobs", "wrong-key-001");
  EXPECT_EQ(refused.status, 429);
  EXPECT_GE(std::stoi(refused.headers.at("retry-after")), 60);
  EXPECT_FALSE(refused.headers.contains("www-authenticate"));
  EXPECT_EQ(get("/api/v1/jobs", "").status, 401) << "without a key nothing is guessed";
  EXPECT_EQ(get("/api/v1/jobs", kAdminKey).status, 200) << "the same address, a right key";
  EXPECT_EQ(get("/health", "wrong-key-000").status, 200);
}

TEST_F(AuthTest, KeysOfTheRecordAreFoundByTheirDigestsAndTheirUseIsTold) {
  KeyRing keys = *KeyRing::parse("fresh-key-acme acme read\n");
  keys.add_digest(sha256_hex("pyt_of_the_record"),
                  {.tenant = "acme", .may_read = true, .key_id = "key_1"});
  keys.add_digest(sha256_hex("fresh-key-acme"), {.tenant = "other", .key_id = "key_2"});
  EXPECT_EQ(keys.size(), 2U) << "the file's key stays the file's";
  server->replace_keys(keys);
  EXPECT_EQ(get("/api/v1/jobs", "fresh-key-acme").status, 200);
  EXPECT_TRUE(server->take_key_uses().empty());
  EXPECT_EQ(get("/api/v1/jobs", "pyt_of_the_record").status, 200);
  EXPECT_EQ(server->take_key_uses().count("key_1"), 1U);
  EXPECT_TRUE(server->take_key_uses().empty()) << "told once";
}

TEST_F(AuthTest, KeysAreReplacedWhileConnectionsStay) {
  RawClient kept = client();
  const auto ask = [&](std::string_view key) {
    return kept.ask(request("GET", "/api/v1/jobs", key_header(key))).status;
  };
  EXPECT_EQ(ask(kReadKey), 200);
  server->replace_keys(*KeyRing::parse("fresh-key-acme acme read\n"));
  EXPECT_EQ(ask(kReadKey), 401);
  EXPECT_EQ(ask(kAdminKey), 401);
  EXPECT_EQ(ask("fresh-key-acme"), 200);
}

}  // namespace
}  // namespace pytoon::http::testing_support
