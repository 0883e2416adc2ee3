// What pages of other sites may do, as their browsers ask.
#include "server/http/cors.h"
#include "live_server.h"

namespace pytoon::http::testing_support {
namespace {

constexpr const char* kListed = "Origin: https://app.example.com\r\n";
constexpr const char* kOther = "Origin: https://evil.example\r\n";

class CorsTest : public LiveServer {
 protected:
  void SetUp() override {
    options.cors = CorsOrigins::parse("https://app.example.com, http://127.0.0.1:5173").value();
    start();
  }
  Reply preflight(const std::string& target, const std::string& origin) {
    return client().ask("OPTIONS " + target + " HTTP/1.1\r\nHost: a\r\n" + origin +
                        "Access-Control-Request-Method: POST\r\n"
                        "Access-Control-Request-Headers: x-api-key,content-type\r\n\r\n");
  }
};

TEST_F(CorsTest, AListedOriginReadsAnswersAndRefusals) {
  for (const char* target : {"/api/v1/presets", "/api/v1/jobs/none", "/openapi.json"}) {
    const Reply reply = get(target, kReadKey, kListed);
    EXPECT_EQ(reply.headers.at("access-control-allow-origin"), "https://app.example.com") << target;
    EXPECT_EQ(reply.headers.at("vary"), "Origin");
    EXPECT_NE(reply.headers.at("access-control-expose-headers").find("Retry-After"),
              std::string::npos);
    EXPECT_FALSE(reply.headers.contains("access-control-allow-credentials"));
  }
  EXPECT_EQ(get("/api/v1/presets", "", kListed).status, 401);
  EXPECT_TRUE(get("/api/v1/presets", "", kListed).headers.contains("access-control-allow-origin"));
  EXPECT_TRUE(get("/api/v1/presets", kReadKey, kListed).headers.contains("ratelimit"));
}

TEST_F(CorsTest, NobodyElseDoes) {
  for (const char* origin : {kOther, "Origin: https://app.example.com.evil.example\r\n",
                             "Origin: http://app.example.com\r\n", "Origin: null\r\n", ""}) {
    const Reply reply = get("/api/v1/presets", kReadKey, origin);
    EXPECT_FALSE(reply.headers.contains("access-control-allow-origin")) << origin;
    EXPECT_EQ(reply.headers.at("vary"), "Origin");
  }
  EXPECT_FALSE(get("/session", kReadKey, kListed).headers.contains("access-control-allow-origin"));
}

TEST_F(CorsTest, APreflightIsAnsweredWithoutAKey) {
  const Reply yes = preflight("/api/v1/jobs", kListed);
  EXPECT_EQ(yes.status, 204);
  EXPECT_EQ(yes.headers.at("access-control-allow-origin"), "https://app.example.com");
  EXPECT_NE(yes.headers.at("access-control-allow-methods").find("POST"), std::string::npos);
  EXPECT_NE(yes.headers.at("access-control-allow-headers").find("X-API-Key"), std::string::npos);
  EXPECT_EQ(preflight("/api/v1/jobs", kOther).status, 401);
  EXPECT_EQ(preflight("/api/v1/nothing", kListed).status, 401);
  EXPECT_FALSE(preflight("/session", kListed).headers.contains("access-control-allow-origin"));
}

class NoCorsTest : public LiveServer {};

TEST_F(NoCorsTest, OffUnlessItIsAskedFor) {
  const Reply reply = get("/api/v1/presets", kReadKey, kListed);
  EXPECT_FALSE(reply.headers.contains("access-control-allow-origin"));
  EXPECT_FALSE(reply.headers.contains("vary"));
}

TEST(CorsOrigins, AreOriginsAndNothingElse) {
  for (const char* wrong :
       {"*", "null", "app.example.com", "https://", "https://a.example/", "https://A.example",
        "ftp://a.example", "https://a.example,", "https://a.example\r\nX: y"}) {
    EXPECT_FALSE(CorsOrigins::parse(wrong)) << wrong;
  }
  EXPECT_TRUE(CorsOrigins::parse(" "));
  EXPECT_TRUE(CorsOrigins::parse("http://[::1]:8080"));
}

}  // namespace
}  // namespace pytoon::http::testing_support
