#include "server/app/config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "tests/support/source_dir.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::app {
namespace {

Environment base() { return {{"PYTOON_CONFIG_DIR", (support::source_dir() / "config").string()}}; }

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
  EXPECT_EQ(config->catalogue.presets.size(), 12U);
  EXPECT_EQ(config->catalogue.defaults.target_duration_seconds, 15);
  EXPECT_FALSE(config->catalogue.defaults.env_brand_safe.has_value());
  EXPECT_EQ(config->database_url.file, "data/pytoon.db");
}

TEST(Config, AWrongValueIsOneLineThatNamesIt) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"API_PORT", "eighty"},
      {"API_PORT", "70000"},
      {"WORKER_CONCURRENCY", "0"},
      {"IMAGE_CACHE_MB", "-1"},
      {"PYTOON_ENV", "prod"},
      {"ENGINE_POLICY_DEFAULT", "x"},
      {"BRAND_SAFE_DEFAULT", "perhaps"},
      {"QUALITY_DEFAULT", "great"},
      {"DB_URL", "mysql://x"},
      {"STORAGE_BACKEND", "tape"},
      {"STORAGE_BACKEND", "s3"},
      {"REDIS_URL", "rediss://x"},
      {"DB_URL", "sqlite:///"},
      {"WORKER_PORT", "none"},
      {"MAX_CONNECTIONS_PER_ADDRESS", "0"},
      {"TRUSTED_PROXIES", "10.0.0.0/8, somewhere"},
      {"CORS_ORIGINS", "*"},
      {"CORS_ORIGINS", "https://a.example, https://b.example/path"},
      {"LEASE_SECONDS", "1"},
      {"RETENTION_DAYS", "-1"},
      {"RETENTION_ORPHANS_HOURS", "soon"},
      {"RETENTION_UNUSED_ASSETS_DAYS", "40000"},
      {"WEBHOOK_SECRET", "secret"},
      {"WEBHOOKS_ALLOW_PRIVATE", "perhaps"},
      {"WEBHOOK_RETRY_SECONDS", "5;30"},
      {"WEBHOOK_RETRY_SECONDS", "0"},
      {"COMFYUI_BASE_URL", "x"},
      {"API_ENGINE_BASE_URL", "ftp://x"},
      {"PYTOON_DEVICE", "tpu"},
      {"LOG_LEVEL", "loud"},
      {"PYTOON_CONFIG_DIR", "/nonexistent"}};
  for (const auto& [name, value] : wrong) {
    const std::string detail = refusal(name, value);
    EXPECT_FALSE(detail.empty()) << name;
    EXPECT_EQ(detail.find('\n'), std::string::npos) << detail;
    EXPECT_NE(detail.find(name), std::string::npos) << detail;
  }
}

// A config folder of its own with another engine.yaml.
std::string refusal_of_engine(const std::string& encoder_lines) {
  namespace fs = std::filesystem;
  const support::TemporaryFolder own;
  const fs::path folder = own.path() / "config";
  fs::copy(support::source_dir() / "config", folder);
  fs::remove(folder / "engine.yaml");
  EXPECT_TRUE(write_file_atomically(folder / "engine.yaml", "encoder:\n" + encoder_lines));
  const Result<Config> config = read_config({{"PYTOON_CONFIG_DIR", folder.string()}});
  return config ? "" : config.failure().detail;
}

TEST(Config, TheEncoderIsChosenInEngineYaml) {
  const std::string x264 = "  x264_preset: veryfast\n  crf: 20\n  max_bitrate_kbps: 9000\n";
  EXPECT_EQ(refusal_of_engine(x264), "");  // what is new has defaults
  EXPECT_EQ(refusal_of_engine(x264 + "  codec: libx264\n  nvenc_sessions: 3\n"), "");
  for (const char* wrong : {"codec: h265", "nvenc_preset: slow", "nvenc_cq: 5",
                            "nvenc_sessions: -1", "x264_threads: 0"}) {
    const std::string detail = refusal_of_engine(x264 + "  " + wrong + "\n");
    EXPECT_NE(detail.find("engine.yaml"), std::string::npos) << wrong;
    const std::string field(wrong, std::string_view(wrong).find(':'));
    EXPECT_NE(detail.find(field), std::string::npos) << detail;
  }
}

TEST(Config, EachQualityHasPresetsOfItsOwn) {
  const Result<Config> config = read_config(base());
  ASSERT_TRUE(config);
  const media::EncoderPreference& encoder = config->encoder;
  EXPECT_EQ(encoder.x264_grades.at("draft").preset, "ultrafast");
  EXPECT_GT(encoder.x264_grades.at("draft").crf, encoder.x264_grades.at("best").crf);
  EXPECT_EQ(encoder.nvenc_grades.at("best").preset, "p7");
  EXPECT_FALSE(encoder.x264_grades.contains("balanced"));  // the section's own fields
  const std::string x264 = "  x264_preset: veryfast\n  crf: 20\n  max_bitrate_kbps: 9000\n";
  EXPECT_EQ(refusal_of_engine(x264 + "  qualities: {fast: {crf: 22}}\n"), "");
  for (const char* wrong : {"fast: {crf: 5}", "draft: {x264_preset: placebo}", "great: {crf: 20}",
                            "best: {nvenc_preset: p9}", "best: {bitrate: 1}"}) {
    const std::string detail = refusal_of_engine(x264 + "  qualities: {" + wrong + "}\n");
    EXPECT_NE(detail.find("/encoder/qualities/"), std::string::npos) << wrong << ": " << detail;
  }
}

TEST(Config, PoolsHaveSizesOfTheirOwn) {
  const Result<Config> shipped = read_config(base());
  ASSERT_TRUE(shipped);
  EXPECT_EQ(shipped->audio_threads, 2);
  EXPECT_EQ(shipped->http_pools.api.threads, 8);
  const std::string x264 = "  x264_preset: veryfast\n  crf: 20\n  max_bitrate_kbps: 9000\n";
  EXPECT_EQ(refusal_of_engine(x264 + "pools: {http_uploads: 3}\n"), "");
  for (const char* wrong : {"audio: 0", "http_uploads: many", "http_hungry: 1"}) {
    const std::string detail = refusal_of_engine(x264 + "pools: {" + wrong + "}\n");
    const std::string field(wrong, std::string_view(wrong).find(':'));
    EXPECT_NE(detail.find("pools/" + field), std::string::npos) << detail;
  }
}

TEST(Config, PlansAreOfTheFileAndAVariableOverrulesTheDefaultOne) {
  const support::TemporaryFolder folder;
  std::filesystem::copy(support::source_dir() / "config", folder.path(),
                        std::filesystem::copy_options::recursive);
  const auto read = [&](const std::string& text, Environment environment = {}) {
    EXPECT_TRUE(write_file_atomically(folder.path() / "plans.yaml", text));
    environment["PYTOON_CONFIG_DIR"] = folder.path().string();
    return read_config(environment);
  };
  const std::string gold = "plans: {gold: {weight: 4, storage_gb: 2, requests_per_second: 7}}";
  const Result<Config> config = read(gold, {{"RATE_LIMIT_RPS", "50"}});
  ASSERT_TRUE(config) << config.failure().detail;
  EXPECT_EQ(config->plans.of("default").request_burst, 250);
  EXPECT_EQ(config->plans.of("gold").weight, 4);
  EXPECT_EQ(config->plans.of("gold").storage_bytes, 2'000'000'000);
  EXPECT_EQ(config->plans.of("gold").request_burst, 35);
  EXPECT_EQ(config->plans.of("gold").queued_jobs, config->plans.of("default").queued_jobs);
  EXPECT_EQ(config->plans.of("unknown").weight, 1);
  for (const char* wrong : {"weight: 0", "storage_gb: -1", "colour: red"}) {
    const auto refused = read("plans: {gold: {" + std::string(wrong) + "}}");
    ASSERT_FALSE(refused) << wrong;
    EXPECT_NE(refused.failure().detail.find("plans.yaml"), std::string::npos);
  }
  EXPECT_FALSE(read("plans: {gold: 3}"));
  std::filesystem::remove(folder.path() / "plans.yaml");
  EXPECT_TRUE(read_config({{"PYTOON_CONFIG_DIR", folder.path().string()}}));
}

TEST(Config, RetentionIsOfTheFileUnlessAVariableSaysOtherwise) {
  using std::chrono::hours;
  Environment environment = base();
  const jobs::Retention built_in;
  jobs::Retention kept = read_config(environment)->retention;
  EXPECT_EQ(kept.done_jobs, hours(0));
  EXPECT_EQ(kept.failed_jobs, built_in.failed_jobs);
  EXPECT_EQ(kept.cancelled_jobs, built_in.cancelled_jobs);
  EXPECT_EQ(kept.job_records, built_in.job_records);
  EXPECT_EQ(kept.unused_assets, built_in.unused_assets);
  EXPECT_EQ(kept.idempotency_records, built_in.idempotency_records);
  EXPECT_EQ(kept.events, built_in.events);
  EXPECT_EQ(kept.dead_letters, built_in.dead_letters);
  EXPECT_EQ(kept.purchases, built_in.purchases);
  EXPECT_EQ(kept.orphans, built_in.orphans);
  // As before there was more than one.
  environment["RETENTION_DAYS"] = "30";
  environment["RETENTION_CANCELLED_JOBS_DAYS"] = "1";
  environment["RETENTION_ORPHANS_HOURS"] = "0";
  kept = read_config(environment)->retention;
  EXPECT_EQ(kept.done_jobs, hours(30 * 24));
  EXPECT_EQ(kept.failed_jobs, hours(30 * 24));
  EXPECT_EQ(kept.cancelled_jobs, hours(24));
  EXPECT_EQ(kept.orphans, hours(0));
}

TEST(Config, TheDatabaseIsAFileOrAServer) {
  Environment environment = base();
  EXPECT_FALSE(is_postgres(*read_config(environment)));
  environment["DB_URL"] = "sqlite:////srv/x/pytoon.db";
  EXPECT_EQ(read_config(environment)->database_url.file, "/srv/x/pytoon.db");
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

TEST(Config, AKeyInProductionIsAStrongOne) {
  Environment environment = base();
  environment["PYTOON_ENV"] = "production";
  EXPECT_TRUE(read_config(environment)) << "workers and tools need none";
  environment["API_KEY"] = "short";
  EXPECT_FALSE(read_config(environment));
  environment["API_KEY"] = "0123456789abcdef";
  EXPECT_TRUE(read_config(environment));
}

TEST(Config, EnginesAreThoseWithAnAddress) {
  Environment environment = base();
  EXPECT_TRUE(read_config(environment)->engines.comfyui.empty());
  environment["COMFYUI_BASE_URL"] = "http://127.0.0.1:8188";
  environment["API_ENGINE_BASE_URL"] = "https://pytoon.example.com";
  environment["API_ENGINE_KEY"] = "k";
  const Result<Config> config = read_config(environment);
  ASSERT_TRUE(config) << config.failure().detail;
  EXPECT_EQ(config->engines.comfyui.size(), 3U);
  EXPECT_EQ(config->engines.remote.size(), 1U);
}

TEST(Config, DeviceAndFontFolders) {
  Environment environment = base();
  EXPECT_EQ(read_config(environment)->device, gpu::DevicePreference::kAuto);
  EXPECT_TRUE(read_config(environment)->font_dirs.empty());
  environment["PYTOON_DEVICE"] = "cuda";
  environment["PYTOON_FONT_DIRS"] = "/fonts:more";
  EXPECT_EQ(read_config(environment)->device, gpu::DevicePreference::kCuda);
  EXPECT_EQ(read_config(environment)->font_dirs,
            (std::vector<std::filesystem::path>{"/fonts", "more"}));
}

TEST(Config, RedisAndS3AreChosenByTheirVariables) {
  Environment environment = base();
  EXPECT_FALSE(read_config(environment)->redis);
  EXPECT_FALSE(read_config(environment)->s3);
  environment["REDIS_URL"] = "redis://127.0.0.1:6380";
  environment["STORAGE_BACKEND"] = "s3";
  environment["S3_ENDPOINT"] = "http://127.0.0.1:9000";
  environment["MINIO_ENDPOINT"] = "http://127.0.0.1:9001";  // the other name decides
  environment["MINIO_ACCESS_KEY"] = "access";
  environment["S3_SECRET_KEY"] = "hush-hush";
  environment["S3_BUCKET"] = "pytoon";
  const Result<Config> config = read_config(environment);
  ASSERT_TRUE(config) << config.failure().detail;
  EXPECT_EQ(config->redis->port, 6380);
  EXPECT_EQ(config->s3->bucket, "pytoon");
  EXPECT_EQ(config->s3->host, "127.0.0.1:9000");
  EXPECT_EQ(config->s3->credentials.key_id, "access");
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
