// Browsers' sessions and signed links, against the whole server.
#include <nlohmann/json.hpp>

#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

using nlohmann::json;

class SessionTest : public LiveServer {
 protected:
  SessionTest() {
    service.artifact = {folder / "video", "video/mp4", "\"e\""};
    write_bytes(service.artifact.path, "the bytes of a video");
  }

  // Signs in; leaves the header that carries the cookie and the CSRF token.
  void sign_in(std::string_view key) {
    const Reply reply = post("/session", "", "", key);
    ASSERT_EQ(reply.status, 201) << reply.body;
    set_cookie = reply.headers.at("set-cookie");
    cookie = "Cookie: theme=dark; " + set_cookie.substr(0, set_cookie.find(';')) + "\r\n";
    token = "X-CSRF-Token: " + json::parse(reply.body).at("csrf_token").get<std::string>() + "\r\n";
  }
  Reply ask(std::string_view method, std::string_view target, const std::string& headers,
            std::string_view body = "") const {
    return client().ask(request(method, target, headers, body));
  }
  json links_of(const std::string& id, std::string_view key, const std::string& body = "") const {
    const Reply reply = post("/api/v1/jobs/" + id + "/links", body.empty() ? "" : kJson, body, key);
    EXPECT_EQ(reply.status, 201) << reply.body;
    return json::parse(reply.body);
  }

  std::string set_cookie;
  std::string cookie;
  std::string token;
};

TEST_F(SessionTest, ACookieStandsForTheKey) {
  sign_in(kReadKey);
  for (const char* part : {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"}) {
    EXPECT_NE(set_cookie.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(set_cookie.find("Secure"), std::string::npos);
  EXPECT_EQ(set_cookie.find(kReadKey), std::string::npos);
  EXPECT_EQ(ask("GET", "/api/v1/jobs/finished", cookie).status, 200);
  EXPECT_EQ(ask("GET", "/api/v1/jobs/finished/output", cookie + "Range: bytes=4-8\r\n").body,
            "bytes");
  EXPECT_EQ(ask("GET", "/api/v1/admin/capacity", cookie).status, 403) << "the key's scopes";
  const json who = json::parse(ask("GET", "/session", cookie).body);
  EXPECT_EQ(who.at("tenant"), "acme");
  EXPECT_EQ(who.at("scopes"), json::array({"read"}));
  EXPECT_EQ("X-CSRF-Token: " + who.at("csrf_token").get<std::string>() + "\r\n", token);
}

TEST_F(SessionTest, WhatChangesSomethingNeedsTheToken) {
  sign_in(kBothKey);
  const std::string target = "/api/v1/jobs/queued/cancel";
  EXPECT_EQ(ask("POST", target, cookie).status, 403);
  EXPECT_EQ(ask("POST", target, cookie + "X-CSRF-Token: x\r\n").status, 403);
  EXPECT_EQ(ask("POST", target, token).status, 401) << "the token alone is nothing";
  EXPECT_EQ(ask("POST", target, cookie + token + token).status, 400);
  const std::string mine = token;
  sign_in(kBothKey);
  EXPECT_EQ(ask("POST", target, cookie + mine).status, 403) << "another session's";
  EXPECT_EQ(ask("DELETE", "/session", cookie).status, 403);
  EXPECT_EQ(ask("POST", target, cookie + token).status, 200);
}

TEST_F(SessionTest, AnotherTenantsJobsStayHidden) {
  sign_in(kOtherKey);
  EXPECT_EQ(ask("GET", "/api/v1/jobs/finished", cookie).status, 404);
}

TEST_F(SessionTest, SigningOutEndsIt) {
  sign_in(kReadKey);
  const Reply gone = ask("DELETE", "/session", cookie + token);
  EXPECT_EQ(gone.status, 204);
  EXPECT_NE(gone.headers.at("set-cookie").find("Max-Age=0"), std::string::npos);
  EXPECT_EQ(ask("GET", "/api/v1/jobs", cookie).status, 401) << "a copy of the cookie too";
}

TEST_F(SessionTest, BehindTlsTheCookieIsForTlsAlone) {
  const Reply reply = post("/session", "X-Forwarded-Proto: https\r\n", "", kReadKey);
  EXPECT_NE(reply.headers.at("set-cookie").find("; Secure"), std::string::npos);
}

TEST_F(SessionTest, AKeyThatIsWithdrawnTakesItsSessionsAndLinksAlong) {
  sign_in(kReadKey);
  const std::string link = links_of("finished", kReadKey).at("output");
  EXPECT_EQ(get(link, "").status, 200);
  server->replace_keys(*KeyRing::parse("both-key-acme acme submit,read\n"));
  EXPECT_EQ(ask("GET", "/api/v1/jobs", cookie).status, 401);
  EXPECT_EQ(get(link, "").status, 403);
}

TEST_F(SessionTest, ALinkNeedsNoKey) {
  const json links = links_of("finished", kReadKey, R"({"expires_in_seconds":60})");
  const std::string output = links.at("output");
  EXPECT_EQ(get(output, "").body, "the bytes of a video");
  EXPECT_EQ(get(output, "", "Range: bytes=4-8\r\n").status, 206);
  EXPECT_EQ(get(std::string(links.at("thumbnail")), "").status, 200);
  EXPECT_EQ(output.find("acme"), std::string::npos) << "it tells nothing of whose it is";
}

TEST_F(SessionTest, ALinkToAnUploadOpensItAlone) {
  service.asset_artifact = {folder / "a.png", "image/png", "\"a\""};
  write_bytes(service.asset_artifact.path, "the bytes of an image");
  const auto link_to = [&](const std::string& uri, std::string_view key) {
    return post("/api/v1/assets/links", kJson, json{{"uri", uri}}.dump(), key);
  };
  const Reply made = link_to("storage://assets/acme/1.png", kReadKey);
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string link = json::parse(made.body).at("content");
  const Reply shown = get(link, "");
  EXPECT_EQ(shown.body, "the bytes of an image");
  EXPECT_EQ(shown.headers.at("content-type"), "image/png");
  EXPECT_EQ(get(link, "", "Range: bytes=4-8\r\n").status, 206);
  const std::string query = link.substr(link.find('?'));
  EXPECT_EQ(get("/api/v1/assets/assets/acme/2.png" + query, "").status, 403);
  EXPECT_EQ(ask("DELETE", link, "").status, 401) << "it is for reading";
  EXPECT_EQ(link_to("storage://assets/acme/1.png", kOtherKey).status, 404);
  EXPECT_EQ(link_to("storage://assets/acme/1.png", kSubmitKey).status, 403);
  for (const char* body : {"{}", R"({"uri":7})", R"({"uri":"https://x.example/1.png"})",
                           R"({"uri":"storage://a/b","expires_in_seconds":0})",
                           R"({"uri":"storage://a/b","more":1})"}) {
    EXPECT_EQ(post("/api/v1/assets/links", kJson, body, kReadKey).status, 422) << body;
  }
}

TEST_F(SessionTest, ALinkOpensNothingElse) {
  const std::string link = links_of("finished", kReadKey).at("output");
  const std::string query = link.substr(link.find('?'));
  service.put(sample_job("theirs", "other"));
  EXPECT_EQ(get("/api/v1/jobs/theirs/output" + query, "").status, 403);
  EXPECT_EQ(get("/api/v1/jobs/queued/output" + query, "").status, 403);
  EXPECT_EQ(get("/api/v1/jobs/finished/thumbnail" + query, "").status, 403);
  EXPECT_EQ(get("/api/v1/jobs/finished" + query, "").status, 401);
  EXPECT_EQ(ask("DELETE", "/api/v1/jobs/finished" + query, "").status, 401);
  std::string changed = link;
  changed.back() = changed.back() == '0' ? '1' : '0';
  EXPECT_EQ(get(changed, "").status, 403);
  EXPECT_EQ(get("/api/v1/jobs/finished/output?signature=", "").status, 403);
}

TEST_F(SessionTest, LinksAreMadeForOnesOwnJobsOnly) {
  EXPECT_EQ(post("/api/v1/jobs/finished/links", "", "", kOtherKey).status, 404);
  EXPECT_EQ(post("/api/v1/jobs/finished/links", "", "", kSubmitKey).status, 403);
  for (const char* body : {R"({"expires_in_seconds":0})", R"({"expires_in_seconds":604801})",
                           R"({"expires_in_seconds":1.5})", R"({"expires_in_seconds":"1"})",
                           R"({"forever":true})", "[]"}) {
    EXPECT_EQ(post("/api/v1/jobs/finished/links", kJson, body, kReadKey).status, 422) << body;
  }
}

class ExpiryTest : public SessionTest {
  void SetUp() override {
    options.session_life = std::chrono::seconds(1);
    start();
  }
};

TEST_F(ExpiryTest, SessionsAndLinksExpire) {
  sign_in(kReadKey);
  const std::string link =
      links_of("finished", kReadKey, R"({"expires_in_seconds":1})").at("output");
  EXPECT_TRUE(eventually([&] { return ask("GET", "/api/v1/jobs", cookie).status == 401; }));
  EXPECT_TRUE(eventually([&] { return get(link, "").status == 403; }));
}

class ForgedLinksTest : public SessionTest {
  void SetUp() override {
    options.failures = {.per_second = 0.01, .burst = 3};
    start();
  }
};

TEST_F(ForgedLinksTest, WhoGuessesSignaturesIsToldToWait) {
  const std::string forged = "/api/v1/jobs/finished/output?expires=9999999999&key=0&signature=";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get(forged + std::to_string(i), "").status, 403);
  EXPECT_EQ(get(forged, "").status, 429);
}

}  // namespace
}  // namespace pytoon::http::testing_support
