#include "server/jobs/key_registry.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "base/hash.h"
#include "server/io/open_store.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::jobs {
namespace {

using std::chrono::hours;

class KeyRegistryTest : public testing::Test {
 protected:
  static KeyOrder order() {
    KeyOrder order;
    order.tenant = "acme";
    order.may_submit = true;
    order.plan = "default";
    return order;
  }

  testing_support::HandClock clock_;
  const std::unique_ptr<io::SqlStore> store_ = io::open_memory_store(clock_);
  RandomIds ids_;
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  KeyRegistry registry_{store_->keys(), ids_, clock_, log_};
};

TEST_F(KeyRegistryTest, AKeyIsShownOnceAndKeptAsItsDigest) {
  const auto made = registry_.create(order(), "ops");
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->secret.starts_with("pyt_"));
  EXPECT_EQ(made->secret.size(), 4U + 64U);
  EXPECT_EQ(made->key.digest, sha256_hex(made->secret));
  const std::string shown = to_json(registry_.list()->at(0)).dump() + lines_.str();
  EXPECT_EQ(shown.find(made->secret), std::string::npos);
  EXPECT_EQ(shown.find(made->key.digest), std::string::npos);
  EXPECT_NE(lines_.str().find("key_created"), std::string::npos);
  EXPECT_NE(registry_.create(order(), "ops")->secret, made->secret);
}

TEST_F(KeyRegistryTest, RefusesWhatIsNoKey) {
  const auto pointer_of = [&](const KeyOrder& wrong) {
    const auto made = registry_.create(wrong, "ops");
    return made ? std::string() : made.failure().faults.at(0).pointer;
  };
  KeyOrder wrong = order();
  wrong.tenant = "a/b";
  EXPECT_EQ(pointer_of(wrong), "/tenant");
  wrong = order();
  wrong.may_submit = false;
  EXPECT_EQ(pointer_of(wrong), "/scopes");
  wrong = order();
  wrong.name = std::string(101, 'n');
  EXPECT_EQ(pointer_of(wrong), "/name");
  wrong = order();
  wrong.lifetime = std::chrono::seconds(0);
  EXPECT_EQ(pointer_of(wrong), "/expires_in_days");
  EXPECT_TRUE(registry_.list()->empty());
}

TEST_F(KeyRegistryTest, ASuccessorHasTheSameRightsAndTheOldOneItsGrace) {
  KeyOrder wish = order();
  wish.admin = true;
  wish.lifetime = hours(48);
  const auto first = registry_.create(wish, "ops");
  ASSERT_TRUE(first);
  clock_.advance(hours(1));
  const auto second = registry_.rotate(first->key.id, hours(2), "ops");
  ASSERT_TRUE(second);
  EXPECT_NE(second->secret, first->secret);
  EXPECT_NE(second->key.id, first->key.id);
  EXPECT_TRUE(second->key.admin && second->key.may_read && second->key.may_submit);
  EXPECT_EQ(second->key.expires_at, first->key.expires_at);
  const auto status = [&](std::size_t place) {
    return to_json(registry_.list()->at(place)).at("status").get<std::string>();
  };
  EXPECT_EQ(status(1), "active");
  clock_.advance(hours(2));
  EXPECT_EQ(status(1), "expired");
  EXPECT_EQ(status(0), "active");
  EXPECT_EQ(to_json(*registry_.revoke(second->key.id, "ops")).at("status"), "revoked");
  EXPECT_EQ(registry_.rotate("nobody", hours(0), "ops").failure().kind, FailureKind::kNotFound);
}

}  // namespace
}  // namespace pytoon::jobs
