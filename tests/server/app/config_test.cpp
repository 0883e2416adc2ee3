#include "server/app/config.h"

#include <gtest/gtest.h>

namespace pytoon::app {
namespace {

Environment base() { return {{"PYTOON_CONFIG_DIR", PYTOON_SOURCE_DIR "/config"}}; }

std::string refusal(const std::string& name, const std::string& value) {
  Environment environment = base();
  environment[name] = value;
  const Result<Config> config = read_config(environment);
  return config ? "" : config.failure().detail;
}

TEST(Config, TheShippedFilesAndAnEmptyEnvironmentAreEnough) {
  const Result<Config> config = read_config(base());
  ASSERT_TRUE(config) << config.failure().detail;
  EXPECT_EQ(config->api_port, 8080);
  EXPECT_EQ(config->catalogue.presets.size(), 8U);
  EXPECT_EQ(config->catalogue.defaults.target_duration_seconds, 15);
  EXPECT_FALSE(config->catalogue.defaults.env_brand_safe.has_value());
  EXPECT_EQ(config->database, "data/pytoon.db");
}

TEST(Config, AWrongValueIsOneLineThatNamesIt) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"API_PORT", "eighty"},
      {"API_PORT", "70000"},
      {"WORKER_CONCURRENCY", "0"},
      {"PYTOON_ENV", "prod"},
      {"ENGINE_POLICY_DEFAULT", "x"},
      {"BRAND_SAFE_DEFAULT", "perhaps"},
      {"DB_URL", "mysql://x"},
      {"STORAGE_BACKEND", "tape"},
      {"DB_URL", "sqlite:///"},
      {"WORKER_PORT", "none"},
      {"LEASE_SECONDS", "1"},
      {"RETENTION_DAYS", "-1"},
      {"WEBHOOK_SECRET", "secret"},
      {"WEBHOOKS_ALLOW_PRIVATE", "perhaps"},
      {"WEBHOOK_RETRY_SECONDS", "5;30"},
      {"WEBHOOK_RETRY_SECONDS", "0"},
      {"LOG_LEVEL", "loud"},
      {"PYTOON_CONFIG_DIR", "/nonexistent"}};
  for (const auto& [name, value] : wrong) {
    const std::string detail = refusal(name, value);
    EXPECT_FALSE(detail.empty()) << name;
    EXPECT_EQ(detail.find('\n'), std::string::npos) << detail;
    EXPECT_NE(detail.find(name == "PYTOON_CONFIG_DIR" ? value : name), std::string::npos) << detail;
  }
}

TEST(Config, TheDatabaseIsAFileOrAServer) {
  Environment environment = base();
  EXPECT_FALSE(is_postgres(*read_config(environment)));
  environment["DB_URL"] = "sqlite:////srv/x/pytoon.db";
  EXPECT_EQ(read_config(environment)->database, "/srv/x/pytoon.db");
  EXPECT_EQ(read_config(environment)->data_dir, "/srv/x");
  environment["DB_URL"] = "postgresql://pytoon@db/pytoon";
  EXPECT_TRUE(is_postgres(*read_config(environment)));
}

TEST(Config, SecretsOfWebhooksAreDecodedAndNeverRepeated) {
  Environment environment = base();
  environment["WEBHOOK_SECRET"] =
      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw whsec_" + std::string(32, 'A');
  environment["WEBHOOK_RETRY_SECONDS"] = "1,60";
  const Result<Config> config = read_config(environment);
  ASSERT_TRUE(config) << config.failure().detail;
  EXPECT_EQ(config->webhook_keys.size(), 2U);
  ASSERT_EQ(config->webhook_schedule.size(), 2U);
  EXPECT_EQ(config->webhook_schedule[1], std::chrono::seconds(60));
  EXPECT_EQ(refusal("WEBHOOK_SECRET", "whsec_hush-hush").find("hush"), std::string::npos);
}

TEST(Config, ProductionNeedsAStrongKey) {
  Environment environment = base();
  environment["PYTOON_ENV"] = "production";
  EXPECT_FALSE(read_config(environment));
  environment["API_KEY"] = "short";
  EXPECT_FALSE(read_config(environment));
  environment["API_KEY"] = "0123456789abcdef";
  EXPECT_TRUE(read_config(environment));
}

TEST(Config, VariablesOfPartsNotBuiltAreReportedAndNotObeyed) {
  Environment environment = base();
  environment["REDIS_URL"] = "redis://127.0.0.1";
  const Result<Config> config = read_config(environment);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->unused, std::vector<std::string>{"REDIS_URL"});
}

TEST(EnvFile, ReadsKeysQuotesAndComments) {
  const Result<Environment> environment =
      parse_env_file("# note\nA=1\nexport B=\"two words\"\n\nC='x=y'\nD=\n");
  ASSERT_TRUE(environment);
  EXPECT_EQ(*environment, (Environment{{"A", "1"}, {"B", "two words"}, {"C", "x=y"}, {"D", ""}}));
  const Result<Environment> broken = parse_env_file("A=1\nnonsense\n");
  ASSERT_FALSE(broken);
  EXPECT_NE(broken.failure().detail.find("line 2"), std::string::npos);
}

}  // namespace
}  // namespace pytoon::app
