#include "server/http/key_ring.h"

#include <gtest/gtest.h>

namespace pytoon::http {
namespace {

TEST(KeyRing, ReadsAFile) {
  const auto ring = KeyRing::parse(
      "# keys\n\nsubmit-key-1 acme submit\r\n  read-key-22\tacme\tread,submit  \nadmin-key-3 ops "
      "admin\n");
  ASSERT_TRUE(ring.ok());
  EXPECT_EQ(ring->size(), 3U);
  const auto submit = ring->find("submit-key-1");
  ASSERT_TRUE(submit);
  EXPECT_EQ(submit->caller.tenant, "acme");
  EXPECT_TRUE(submit->caller.may_submit);
  EXPECT_FALSE(submit->caller.may_read);
  EXPECT_FALSE(submit->caller.admin);
  const auto both = ring->find("read-key-22");
  ASSERT_TRUE(both);
  EXPECT_TRUE(both->caller.may_submit && both->caller.may_read);
  EXPECT_EQ(both->index, 1U);
  const auto admin = ring->find("admin-key-3");
  ASSERT_TRUE(admin);
  EXPECT_TRUE(admin->caller.admin && admin->caller.may_read && admin->caller.may_submit);
}

TEST(KeyRing, AFourthWordIsThePlan) {
  const auto ring = KeyRing::parse("key-of-a-plan acme read gold\nkey-without-one acme read\n");
  ASSERT_TRUE(ring.ok());
  EXPECT_EQ(ring->find("key-of-a-plan")->caller.plan, "gold");
  EXPECT_EQ(ring->find("key-without-one")->caller.plan, "default");
}

TEST(KeyRing, FindsOnlyExactKeys) {
  auto ring = KeyRing::parse("");
  ASSERT_TRUE(ring.ok());
  EXPECT_FALSE(ring->find(""));
  ASSERT_TRUE(ring->add_admin_key("correct-key").ok());
  for (const char* wrong : {"", "correct-ke", "correct-keyy", "CORRECT-KEY", " correct-key", "x"}) {
    EXPECT_FALSE(ring->find(wrong)) << wrong;
  }
  ASSERT_TRUE(ring->find("correct-key"));
  EXPECT_EQ(ring->find("correct-key")->caller.tenant, "default");
}

TEST(KeyRing, NamesTheLineButNeverTheKey) {
  for (const char* text :
       {"secret-key-9 acme", "secret-key-9 acme submit plan extra", "secret-key-9 a/b read",
        "secret-key-9 acme write", "secret-key-9 acme read,", "short9 acme read",
        "ok-key-12345 acme read\nsecret-key-9 x read\nsecret-key-9 y read"}) {
    const auto ring = KeyRing::parse(text);
    ASSERT_FALSE(ring.ok()) << text;
    EXPECT_NE(ring.failure().detail.find("line "), std::string::npos);
    EXPECT_EQ(ring.failure().detail.find("9"), std::string::npos) << ring.failure().detail;
  }
  auto ring = KeyRing::parse("");
  EXPECT_FALSE(ring->add_admin_key("").ok());
  EXPECT_FALSE(ring->add_admin_key("has a space").ok());
}

}  // namespace
}  // namespace pytoon::http
