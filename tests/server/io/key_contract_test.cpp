// API keys, on every database.
#include "tests/server/io/store_fixture.h"

namespace pytoon::testing_support {
namespace {

using jobs::ApiKey;

ApiKey sample_key(const std::string& id, WallTime created_at) {
  ApiKey key;
  key.id = id;
  key.digest = "digest of " + id;
  key.hint = "pyt_12ab";
  key.name = "the shop's";
  key.tenant = "acme";
  key.may_submit = true;
  key.plan = "default";
  key.created_at = created_at;
  return key;
}

}  // namespace

TEST_P(StoreContract, KeysAreKeptAsTheyWere) {
  jobs::KeyStore& keys = store_->keys();
  EXPECT_TRUE(keys.api_keys()->empty());
  const WallTime made = clock_.now();
  ApiKey first = sample_key("a", made);
  first.expires_at = made + std::chrono::hours(24);
  first.may_read = true;
  ASSERT_TRUE(keys.add_key(first));
  EXPECT_EQ(keys.add_key(first).failure().kind, FailureKind::kConflict);
  ApiKey admin = sample_key("b", made + std::chrono::seconds(1));
  admin.admin = true;
  ASSERT_TRUE(keys.add_key(admin));
  const auto all = *keys.api_keys();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].id, "b") << "newest first";
  EXPECT_TRUE(all[0].admin && all[0].may_submit && !all[0].may_read);
  EXPECT_FALSE(all[0].expires_at || all[0].revoked_at || all[0].last_used_at);
  EXPECT_EQ(all[1].digest, "digest of a");
  EXPECT_EQ(all[1].hint, "pyt_12ab");
  EXPECT_EQ(all[1].name, "the shop's");
  EXPECT_EQ(all[1].tenant, "acme");
  EXPECT_EQ(all[1].plan, "default");
  EXPECT_TRUE(all[1].may_submit && all[1].may_read && !all[1].admin);
  EXPECT_EQ(all[1].created_at, made);
  EXPECT_EQ(all[1].expires_at, first.expires_at);
}

TEST_P(StoreContract, AKeyIsRevokedForEver) {
  jobs::KeyStore& keys = store_->keys();
  const WallTime now = clock_.now();
  ASSERT_TRUE(keys.add_key(sample_key("a", now)));
  EXPECT_EQ(keys.revoke_key("nobody", now).failure().kind, FailureKind::kNotFound);
  EXPECT_EQ(keys.revoke_key("a", now)->revoked_at, now);
  EXPECT_EQ(keys.revoke_key("a", now + std::chrono::hours(1))->revoked_at, now);
  EXPECT_EQ(keys.replace_key("a", sample_key("b", now), now).failure().kind,
            FailureKind::kConflict);
  EXPECT_EQ(keys.api_keys()->size(), 1U) << "nor has it a successor";
}

TEST_P(StoreContract, AKeyThatIsReplacedEndsWhenItIsToldButNotLater) {
  jobs::KeyStore& keys = store_->keys();
  const WallTime now = clock_.now();
  ASSERT_TRUE(keys.add_key(sample_key("a", now)));
  ASSERT_TRUE(keys.replace_key("a", sample_key("b", now + std::chrono::seconds(1)),
                               now + std::chrono::hours(1)));
  ASSERT_TRUE(keys.replace_key("a", sample_key("c", now + std::chrono::seconds(2)),
                               now + std::chrono::hours(2)));
  const auto all = *keys.api_keys();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[2].expires_at, now + std::chrono::hours(1));
  EXPECT_FALSE(all[0].expires_at);
  EXPECT_EQ(keys.replace_key("a", sample_key("c", now), now).failure().kind, FailureKind::kConflict)
      << "the successor's id is taken";
  EXPECT_EQ(keys.api_keys()->at(2).expires_at, now + std::chrono::hours(1)) << "undone with it";
  EXPECT_EQ(keys.replace_key("x", sample_key("d", now), now).failure().kind,
            FailureKind::kNotFound);
}

TEST_P(StoreContract, UsesOfKeysOnlyGoForward) {
  jobs::KeyStore& keys = store_->keys();
  const WallTime now = clock_.now();
  ASSERT_TRUE(keys.add_key(sample_key("a", now)));
  ASSERT_TRUE(keys.keys_used({}));
  ASSERT_TRUE(keys.keys_used({{"a", now + std::chrono::hours(1)}, {"gone", now}}));
  ASSERT_TRUE(keys.keys_used({{"a", now}}));
  EXPECT_EQ(keys.api_keys()->at(0).last_used_at, now + std::chrono::hours(1));
}

}  // namespace pytoon::testing_support
