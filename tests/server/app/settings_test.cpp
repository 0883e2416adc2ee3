#include "server/app/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/files.h"
#include "server/app/config.h"
#include "server/app/config_files.h"
#include "server/app/settings_page.h"
#include "tests/support/source_dir.h"

namespace pytoon::app {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::filesystem::path root() { return support::source_dir(); }

Environment shipped() { return {{"PYTOON_CONFIG_DIR", (root() / "config").string()}}; }

TEST(Settings, EachIsInTheTableOnce) {
  std::set<std::string_view> names;
  for (const Setting& setting : settings()) {
    EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
    EXPECT_FALSE(setting.about.empty()) << setting.name;
  }
}

TEST(Settings, ThePageIsMadeOfWhatTheProgramReads) {
  const auto page = read_file(root() / "docs/configuration.md");
  ASSERT_TRUE(page.ok());
  const Result<Config> config = read_config(shipped());
  ASSERT_TRUE(config.ok());
  const Result<std::string> made = settings_page(*config);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(*page, *made) << "pytoon config page > docs/configuration.md";
}

TEST(Settings, AValueOfAFileSaysWhatItMayBe) {
  const Result<Config> config = read_config(shipped());
  ASSERT_TRUE(config.ok());
  const nlohmann::ordered_json json{
      {"plans", {{"default", {{"weight", 3}, {"requests_per_second", 0.5}}}}}};
  const auto plans = std::ranges::find(settings_files(), "plans.yaml", &SettingsFile::name);
  const std::vector<FileKey> keys = keys_of(*plans, json, *config);
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0].key, "plans.default.weight");
  EXPECT_EQ(keys[0].value, "3");
  EXPECT_EQ(keys[0].rule, "a whole number from 1 to 100");
  EXPECT_EQ(keys[1].value, "0.5");
  EXPECT_EQ(keys[1].rule, "a number from 0.01 to 1000000");
}

TEST(Settings, BoundsAreThoseOfTheTable) {
  for (const Setting& setting : settings()) {
    if (setting.most == 0) continue;
    for (const std::string& value : {std::to_string(setting.least), std::to_string(setting.most)}) {
      Environment environment = shipped();
      environment[std::string(setting.name)] = value;
      EXPECT_TRUE(read_config(environment).ok()) << setting.name << "=" << value;
    }
    for (const std::string& value :
         {std::to_string(setting.least - 1), std::to_string(setting.most + 1), std::string("x")}) {
      Environment environment = shipped();
      environment[std::string(setting.name)] = value;
      const Result<Config> config = read_config(environment);
      ASSERT_FALSE(config.ok()) << setting.name << "=" << value;
      EXPECT_THAT(config.failure().detail, HasSubstr(setting.name));
      EXPECT_THAT(config.failure().detail, Not(HasSubstr("\n")));
    }
  }
}

TEST(Settings, DefaultsAreWhatHoldsWhenNothingIsSet) {
  const Result<Config> bare = read_config(shipped());
  ASSERT_TRUE(bare.ok());
  Environment written = shipped();
  for (const Setting& setting : settings()) {
    if (!setting.fallback.empty()) written[std::string(setting.name)] = setting.fallback;
  }
  const Result<Config> same = read_config(written);
  ASSERT_TRUE(same.ok()) << same.failure().detail;
  EXPECT_EQ(bare->api_port, same->api_port);
  EXPECT_EQ(bare->image_cache_mb, same->image_cache_mb);
  EXPECT_EQ(bare->max_queued_jobs, same->max_queued_jobs);
  EXPECT_EQ(bare->lease, same->lease);
  EXPECT_EQ(bare->storage_root, same->storage_root);
  EXPECT_EQ(bare->database_url.file, same->database_url.file);
  EXPECT_EQ(bare->log_level, same->log_level);
  EXPECT_EQ(bare->webhooks_allow_private, same->webhooks_allow_private);
}

TEST(Settings, SecretsAreNeverShown) {
  for (const char* name : {"API_KEY", "S3_SECRET_KEY", "MINIO_SECRET_KEY", "API_ENGINE_KEY",
                           "WEBHOOK_SECRET", "PYTOON_API_KEY"}) {
    EXPECT_EQ(shown(setting(name), "open sesame"), "***") << name;
    EXPECT_EQ(shown(setting(name), ""), "") << name;
  }
  EXPECT_EQ(shown(setting("DB_URL"), "postgresql://me:p:w@db@host:5432/x"),
            "postgresql://me:***@host:5432/x");
  EXPECT_EQ(shown(setting("DB_URL"), "sqlite:///data/pytoon.db"), "sqlite:///data/pytoon.db");
  EXPECT_EQ(shown(setting("REDIS_URL"), "redis://:word@cache:6379"), "redis://:***@cache:6379");
  EXPECT_EQ(shown(setting("REDIS_URL"), "redis://cache:6379/1"), "redis://cache:6379/1");
  EXPECT_EQ(shown(setting("API_PORT"), "8080"), "8080");
}

TEST(SettingsDeathTest, AVariableThatIsNotInTheTableIsABrokenPromise) {
  const Environment none;
  const Variables variables(none);
  EXPECT_DEATH((void)variables.text("PYTOON_NO_SUCH_THING"), "table of settings");
}

TEST(Settings, ValuesOfFilesAreInTheTablesUnits) {
  const Result<Config> config = read_config(shipped());
  ASSERT_TRUE(config.ok());
  for (const auto& [name, value] : values_of_files(*config)) {
    EXPECT_FALSE(setting(name).in_file.empty()) << name;
  }
  EXPECT_THAT(values_of_files(*config),
              ::testing::Contains(::testing::Pair("RETENTION_FAILED_JOBS_DAYS", "14")));
}

}  // namespace
}  // namespace pytoon::app
