#include "server/http/router.h"

#include <gtest/gtest.h>

namespace pytoon::http {
namespace {

Router sample_router() {
  const Handler nothing = [](const Request&) -> Result<Response> { return Response(); };
  return Router({
      {Method::kGet, "/a", Scope::kOpen, BodyKind::kNone, Purpose::kImmediate, nothing},
      {Method::kPost, "/a", Scope::kSubmit, BodyKind::kJson, Purpose::kApi, nothing},
      {Method::kGet, "/a/{id}", Scope::kRead, BodyKind::kNone, Purpose::kApi, nothing},
      {Method::kPost, "/a/{id}/go", Scope::kRead, BodyKind::kNone, Purpose::kApi, nothing},
  });
}

Router::Match find(const Router& router, Method method, const std::string& path) {
  const auto segments = decode_path(path);
  EXPECT_TRUE(segments.ok()) << path;
  return router.find(method, *segments);
}

TEST(Router, FindsByMethodAndPath) {
  const Router router = sample_router();
  EXPECT_EQ(find(router, Method::kGet, "/a").route, &router.routes()[0]);
  EXPECT_EQ(find(router, Method::kHead, "/a").route, &router.routes()[0]);
  EXPECT_EQ(find(router, Method::kPost, "/a").route, &router.routes()[1]);
  const auto match = find(router, Method::kGet, "/a/x%2D1");
  EXPECT_EQ(match.route, &router.routes()[2]);
  EXPECT_EQ(match.parameters.at("id"), "x-1");
}

TEST(Router, SaysWhatAPathAllows) {
  const Router router = sample_router();
  EXPECT_EQ(find(router, Method::kDelete, "/a").allow, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(find(router, Method::kGet, "/a/1/go").allow, "POST, OPTIONS");
  EXPECT_EQ(find(router, Method::kGet, "/a/1/go").route, nullptr);
  for (const char* path : {"/", "/b", "/a/", "/a/1/", "/a/1/2", "/A", "/a/with space"}) {
    EXPECT_EQ(find(router, Method::kGet, path).allow, "") << path;
  }
  EXPECT_EQ(find(router, Method::kGet, "/a/" + std::string(65, 'x')).allow, "");
}

TEST(Router, AStorageKeyTakesAllSegmentsThatAreLeft) {
  const Handler nothing = [](const Request&) -> Result<Response> { return Response(); };
  const Router router({
      {Method::kPost, "/a/upload", Scope::kSubmit, BodyKind::kNone, Purpose::kApi, nothing},
      {Method::kDelete, "/a/{key}", Scope::kSubmit, BodyKind::kNone, Purpose::kApi, nothing},
  });
  const auto match = find(router, Method::kDelete, "/a/assets/acme/12ab.png");
  EXPECT_EQ(match.route, &router.routes()[1]);
  EXPECT_EQ(match.parameters.at("key"), "assets/acme/12ab.png");
  EXPECT_EQ(find(router, Method::kDelete, "/a/upload").allow, "POST, OPTIONS");
  for (const char* path : {"/a", "/a/", "/a/x", "/a/x/", "/a//x", "/a/.x/y", "/a/x/y%20z"}) {
    EXPECT_EQ(find(router, Method::kDelete, path).route, nullptr) << path;
  }
}

TEST(Target, RefusesPathsThatAreNotNames) {
  for (const char* path :
       {"/.", "/..", "/a/%2e%2e/b", "/a%2fb", "/a%5cb", "/%00", "/%", "/%1", "/%zz", "/a%0d%0ab"}) {
    EXPECT_FALSE(decode_path(path).ok()) << path;
  }
  EXPECT_EQ(decode_path("/a/b%20c")->at(1), "b c");
}

TEST(Target, DecodesQueries) {
  const auto query = decode_query("a=1&b=%41+c&&d");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->at("a"), "1");
  EXPECT_EQ(query->at("b"), "A c");
  EXPECT_EQ(query->at("d"), "");
  for (const char* bad : {"a=1&a=2", "a=%", "a=%0a", "%=1"})
    EXPECT_FALSE(decode_query(bad).ok()) << bad;
}

}  // namespace
}  // namespace pytoon::http
