#include "server/http/credentials.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace pytoon::http {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class FixedClock final : public Clock {
 public:
  WallTime now() const override { return at; }
  SteadyTime steady_now() const override { return {}; }
  void sleep_for(std::chrono::milliseconds) override {}
  WallTime at{seconds(1'800'000'000)};
};

class CredentialsTest : public ::testing::Test {
 protected:
  Query query_of(const std::string& link) const {
    return *decode_query(std::string_view(link).substr(link.find('?') + 1));
  }

  FixedClock clock;
  Credentials ours{"one secret", hours(1), clock};
  Credentials replica{"one secret", hours(1), clock};
  Credentials foreign{"another secret", hours(1), clock};
  const std::string path = "/api/v1/jobs/a/output";
};

TEST_F(CredentialsTest, ASessionIsGoodAtEveryProcessUntilItExpires) {
  const Session session = ours.begin_session("tag");
  const std::string token = ours.token_of(session);
  ASSERT_TRUE(replica.session_of(token));
  EXPECT_EQ(replica.session_of(token)->key_tag, "tag");
  EXPECT_EQ(replica.csrf_token(session), ours.csrf_token(session));
  EXPECT_FALSE(foreign.session_of(token));
  clock.at += seconds(3599);
  EXPECT_TRUE(ours.session_of(token));
  clock.at += seconds(1);
  EXPECT_FALSE(ours.session_of(token));
}

TEST_F(CredentialsTest, NoCharacterOfATokenCanBeChanged) {
  const std::string token = ours.token_of(ours.begin_session("tag"));
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string changed = token;
    changed[i] = changed[i] == '1' ? '2' : '1';
    EXPECT_FALSE(ours.session_of(changed)) << i;
  }
  for (const char* text : {"", ".", "...", "a.b.c.d", "a.1.b", "a.99999999999999999999.b.c"}) {
    EXPECT_FALSE(ours.session_of(text)) << text;
  }
  EXPECT_FALSE(ours.session_of(token + ".x"));
}

TEST_F(CredentialsTest, AnEndedSessionStaysEnded) {
  const Session session = ours.begin_session("tag");
  const Session other = ours.begin_session("tag");
  ours.end_session(session);
  EXPECT_FALSE(ours.session_of(ours.token_of(session)));
  EXPECT_TRUE(ours.session_of(ours.token_of(other)));
}

TEST_F(CredentialsTest, ALinkOpensItsPathUntilItExpires) {
  const std::string link = ours.link_to(path, "tag", ours.now_seconds() + 60);
  ASSERT_TRUE(link.starts_with(path + "?"));
  EXPECT_EQ(*replica.key_tag_of_link(path, query_of(link)), "tag");
  EXPECT_FALSE(ours.key_tag_of_link("/api/v1/jobs/b/output", query_of(link)));
  EXPECT_FALSE(ours.key_tag_of_link("/api/v1/jobs/a/thumbnail", query_of(link)));
  EXPECT_FALSE(foreign.key_tag_of_link(path, query_of(link)));
  clock.at += seconds(60);
  const auto expired = ours.key_tag_of_link(path, query_of(link));
  ASSERT_FALSE(expired);
  EXPECT_EQ(expired.failure().kind, FailureKind::kForbidden);
}

TEST_F(CredentialsTest, NothingOfALinkCanBeChanged) {
  const std::string link = ours.link_to(path, "tag", ours.now_seconds() + 60);
  for (const char* name : {"expires", "key", "signature"}) {
    Query query = query_of(link);
    std::string& value = query.at(name);
    value.back() = value.back() == '1' ? '2' : '1';
    EXPECT_FALSE(ours.key_tag_of_link(path, query)) << name;
    query.erase(name);
    EXPECT_FALSE(ours.key_tag_of_link(path, query)) << name;
  }
}

TEST_F(CredentialsTest, ASignatureOfALinkIsNoSession) {
  const std::string link = ours.link_to("id", "tag", 1'900'000'000);
  const std::string token = "id.1900000000.tag." + query_of(link).at("signature");
  EXPECT_FALSE(ours.session_of(token));
}

TEST(CookieIn, FindsItsNameAndNoOther) {
  EXPECT_EQ(cookie_in("a=1; pytoon_session=x.y; b=2", "pytoon_session"), "x.y");
  EXPECT_EQ(cookie_in("pytoon_session=", "pytoon_session"), "");
  EXPECT_FALSE(cookie_in("not_pytoon_session=x", "pytoon_session"));
  EXPECT_FALSE(cookie_in("", "pytoon_session"));
  EXPECT_FALSE(cookie_in("pytoon_session", "pytoon_session"));
}

}  // namespace
}  // namespace pytoon::http
