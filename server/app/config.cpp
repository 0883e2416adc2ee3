#include "server/app/config.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <thread>

#include "base/web_address.h"
#include "pipeline/spec/field_reader.h"
#include "server/app/config_files.h"
#include "server/app/settings.h"
#include "server/jobs/webhook_signature.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLeastKeyBytes = 16;

void read_environment_name(Variables& env, Config& config) {
  const std::string name = env.text_or_default("PYTOON_ENV");
  if (name != "dev" && name != "production") {
    env.note(wrong("PYTOON_ENV", "must be dev or production"));
  }
  config.production = name == "production";
}

void read_access(Variables& env, Config& config) {
  config.api_host = env.text_or_default("API_HOST");
  config.api_port = env.whole("API_PORT");
  config.api_key = env.text("API_KEY").value_or("");
  config.api_keys_file = env.text("API_KEYS_FILE").value_or("");
  Result<http::AddressSet> proxies =
      http::AddressSet::parse(env.text_or_default("TRUSTED_PROXIES"));
  if (proxies) {
    config.trusted_proxies = std::move(*proxies);
  } else {
    env.note(wrong("TRUSTED_PROXIES", proxies.failure().detail));
  }
  Result<http::CorsOrigins> cors = http::CorsOrigins::parse(env.text_or_default("CORS_ORIGINS"));
  if (cors) {
    config.cors = std::move(*cors);
  } else {
    env.note(wrong("CORS_ORIGINS", cors.failure().detail));
  }
  if (!config.api_key.empty() && config.production && config.api_key.size() < kLeastKeyBytes) {
    env.note(wrong("API_KEY", "must have at least 16 characters in production"));
  }
}

void read_limits(Variables& env, Config& config) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  config.worker_concurrency = env.whole_or("WORKER_CONCURRENCY", cores);
  constexpr int kDecodersLeast = 4;
  config.decoder_processes = env.whole_or("DECODER_PROCESSES", std::max(cores, kDecodersLeast));
  config.decoders_waiting = env.whole("DECODERS_WAITING");
  config.image_cache_mb = env.whole("IMAGE_CACHE_MB");
  config.max_queued_jobs = env.whole("MAX_QUEUED_JOBS");
  config.session_life = std::chrono::hours(env.whole("SESSION_HOURS"));
  config.max_connections_per_address = env.whole("MAX_CONNECTIONS_PER_ADDRESS");
  config.worker_port = env.whole("WORKER_PORT");
  config.reuse_segments = env.truth("REUSE_SEGMENTS").value_or(true);
  config.lease = std::chrono::seconds(env.whole("LEASE_SECONDS"));
}

void read_traces(Variables& env, Config& config) {
  config.spans_endpoint = without_end_slashes(env.text("OTEL_EXPORTER_OTLP_ENDPOINT").value_or(""));
  if (!config.spans_endpoint.empty() && !parse_web_address(config.spans_endpoint)) {
    env.note(wrong("OTEL_EXPORTER_OTLP_ENDPOINT", "must be http(s)://host[:port][/path]"));
  }
  std::istringstream list(env.text("OTEL_EXPORTER_OTLP_HEADERS").value_or(""));
  for (std::string pair; std::getline(list, pair, ',');) {
    const std::size_t equals = pair.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return env.note(
          wrong("OTEL_EXPORTER_OTLP_HEADERS", "must be name=value, separated by commas"));
    }
    config.spans_headers.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
  }
}

void read_log_level(Variables& env, Config& config) {
  const std::string name = env.text_or_default("LOG_LEVEL");
  const std::vector<std::string> names{"debug", "info", "warning", "error"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    env.note(wrong("LOG_LEVEL", "must be debug, info, warning or error"));
    return;
  }
  config.log_level = static_cast<LogLevel>(found - names.begin());
}

void read_device(Variables& env, Config& config) {
  const std::string name = env.text_or_default("PYTOON_DEVICE");
  if (name == "cpu") {
    config.device = gpu::DevicePreference::kCpu;
  } else if (name == "cuda") {
    config.device = gpu::DevicePreference::kCuda;
  } else if (name != "auto") {
    env.note(wrong("PYTOON_DEVICE", "must be auto, cpu or cuda"));
  }
}

void read_database(Variables& env, Config& config) {
  const Result<io::DatabaseUrl> url = io::parse_database_url(env.text_or_default("DB_URL"));
  if (!url) {
    env.note(wrong("DB_URL", url.failure().detail));
    return;
  }
  config.database_url = *url;
  config.data_dir = is_postgres(config) ? "data" : url->file.parent_path();
}

void read_redis(Variables& env, Config& config) {
  const std::optional<std::string> url = env.text("REDIS_URL");
  if (!url) return;
  Result<io::RedisAddress> address = io::parse_redis_url(*url);
  if (address) {
    config.redis = std::move(*address);
  } else {
    env.note(wrong("REDIS_URL", address.failure().detail));
  }
}

// Where files are kept: below STORAGE_ROOT, or in S3 with STORAGE_ROOT as the local workplace.
void read_storage(Variables& env, Config& config) {
  const std::string backend = env.text_or_default("STORAGE_BACKEND");
  config.storage_root = env.text_or_default("STORAGE_ROOT");
  if (backend == "filesystem") return;
  if (backend != "s3") {
    env.note(wrong("STORAGE_BACKEND", "must be filesystem or s3"));
    return;
  }
  const auto text = [&env](const char* name) { return env.text(name).value_or(""); };
  // MINIO_...: what product and first users call them; the names beside it decide.
  const auto either = [&env](const char* name, const char* minio_name) {
    const std::optional<std::string> minio = env.text(minio_name);
    return env.text(name).value_or(minio.value_or(""));
  };
  Result<io::S3Options> options = io::make_s3_options(
      {either("S3_ENDPOINT", "MINIO_ENDPOINT"), either("S3_ACCESS_KEY", "MINIO_ACCESS_KEY"),
       either("S3_SECRET_KEY", "MINIO_SECRET_KEY"), text("S3_BUCKET"), text("S3_REGION")});
  if (options) {
    config.s3 = std::move(*options);
  } else {
    env.note(options.failure());
  }
}

// "5,30,120": seconds, each at most a day.
void read_schedule(Variables& env, Config& config) {
  const std::optional<std::string> list = env.text("WEBHOOK_RETRY_SECONDS");
  if (!list) return;
  config.webhook_schedule.clear();
  const char* at = list->data();
  const char* const end = at + list->size();
  while (at < end) {
    int seconds = 0;
    const auto read = std::from_chars(at, end, seconds);
    const bool ends = read.ptr == end || *read.ptr == ',';
    if (read.ec != std::errc() || !ends || seconds < 1 || seconds > 86'400) {
      env.note(wrong("WEBHOOK_RETRY_SECONDS", "must be whole seconds separated by commas"));
      return;
    }
    config.webhook_schedule.emplace_back(std::chrono::seconds(seconds));
    at = read.ptr == end ? end : read.ptr + 1;
  }
}

void read_webhooks(Variables& env, Config& config) {
  auto keys = jobs::webhook_keys(env.text("WEBHOOK_SECRET").value_or(""));
  if (keys) {
    config.webhook_keys = std::move(*keys);
  } else {
    env.note(wrong("WEBHOOK_SECRET", keys.failure().detail));
  }
  config.webhooks_allow_private = env.truth("WEBHOOKS_ALLOW_PRIVATE").value_or(false);
  read_schedule(env, config);
}

void read_places(Variables& env, Config& config) {
  read_storage(env, config);
  read_database(env, config);
  read_redis(env, config);
  const bool here = fs::exists("config/presets.yaml");
  config.config_dir =
      env.text("PYTOON_CONFIG_DIR").value_or(here ? "config" : "/usr/share/pytoon/config");
  const auto cache = env.text("PYTOON_CACHE_DIR");
  config.cache_dir_chosen = cache.has_value();
  config.cache_dir = cache.value_or((config.data_dir / "cache").string());
  const auto home = env.foreign("HOME");
  const fs::path caches =
      env.foreign("XDG_CACHE_HOME").value_or(home ? (fs::path(*home) / ".cache").string() : "");
  if (!caches.empty()) config.user_cache_dir = caches / "pytoon";
}

void read_font_dirs(Variables& env, Config& config) {
  std::istringstream list(env.text("PYTOON_FONT_DIRS").value_or(""));
  for (std::string folder; std::getline(list, folder, ':');) {
    if (!folder.empty()) config.font_dirs.emplace_back(folder);
  }
}

template <typename Enum>
std::optional<Enum> choice_of(Variables& env, const char* variable) {
  const auto text = env.text(variable);
  if (!text) return std::nullopt;
  const std::optional<Enum> chosen = spec::from_name<Enum>(*text);
  if (!chosen) env.note(wrong(variable, "must be " + spec::one_of(spec::all_names<Enum>())));
  return chosen;
}

void read_overrides(Variables& env, plan::Defaults& defaults) {
  defaults.env_brand_safe = env.truth("BRAND_SAFE_DEFAULT");
  defaults.env_engine_policy = choice_of<spec::EnginePolicy>(env, "ENGINE_POLICY_DEFAULT");
  defaults.env_quality = choice_of<spec::Quality>(env, "QUALITY_DEFAULT");
}

// RETENTION_DAYS speaks for all ended jobs whose own variable is not set.
void override_retention(Variables& env, jobs::Retention& retention) {
  if (env.text("RETENTION_DAYS")) {
    const int days = env.whole_or("RETENTION_DAYS", 0);
    for (auto* const age :
         {&retention.done_jobs, &retention.failed_jobs, &retention.cancelled_jobs}) {
      *age = std::chrono::hours(24 * days);
    }
  }
  for (const RetentionSetting& setting : retention_settings()) {
    if (!env.text(setting.variable)) continue;
    const int units = env.whole_or(setting.variable, 0);
    retention.*setting.age = std::chrono::hours(units * setting.unit_hours);
  }
}

engines::EngineVariables engine_variables(const Variables& env) {
  return {env.text("COMFYUI_BASE_URL").value_or(""), env.text("API_ENGINE_BASE_URL").value_or(""),
          env.text("API_ENGINE_KEY").value_or(""), env.text("API_ENGINE_PROVIDER").value_or("")};
}

void override_default_plan(Variables& env, jobs::TenantPlan& plan) {
  if (env.text("MAX_QUEUED_JOBS_PER_TENANT")) {
    plan.queued_jobs = env.whole("MAX_QUEUED_JOBS_PER_TENANT");
  }
  if (env.text("RATE_LIMIT_RPS")) {
    constexpr double kBurstSeconds = 5;
    plan.requests_per_second = env.whole("RATE_LIMIT_RPS");
    plan.request_burst = kBurstSeconds * plan.requests_per_second;
  }
}

Status read_files(Variables& env, Config& config) {
  Result<spec::PresetTable> presets = spec::read_presets(config.config_dir / "presets.yaml");
  if (!presets && presets.failure().kind == FailureKind::kNotFound) {
    return failure(FailureKind::kNotFound,
                   presets.failure().detail + "; PYTOON_CONFIG_DIR names the folder that has it");
  }
  if (!presets) return presets.failure();
  config.catalogue.presets = std::move(*presets);
  Result<spec::PlatformTable> platforms =
      spec::read_platforms(config.config_dir / "platforms.yaml");
  if (!platforms) return platforms.failure();
  config.catalogue.platforms = std::move(*platforms);
  const engines::EngineVariables variables = engine_variables(env);
  for (const SettingsFile& file : settings_files()) {
    if (Status read = read_settings_file(file, variables, config); !read) return read;
  }
  override_retention(env, config.retention);
  override_default_plan(env, config.plans["default"]);
  return env.fault() ? Status(*env.fault()) : ok_status();
}

}  // namespace

std::vector<std::pair<std::string, std::string>> values_of_files(const Config& config) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const RetentionSetting& setting : retention_settings()) {
    const auto units = (config.retention.*setting.age).count() / setting.unit_hours;
    values.emplace_back(setting.variable, std::to_string(units));
  }
  const jobs::TenantPlan& plan = config.plans.of("default");
  values.emplace_back("MAX_QUEUED_JOBS_PER_TENANT", std::to_string(plan.queued_jobs));
  values.emplace_back("RATE_LIMIT_RPS",
                      std::to_string(static_cast<std::int64_t>(plan.requests_per_second)));
  return values;
}

Result<Config> read_config(const Environment& environment) {
  Variables env(environment);
  Config config;
  read_environment_name(env, config);
  read_access(env, config);
  read_limits(env, config);
  read_traces(env, config);
  read_log_level(env, config);
  read_device(env, config);
  read_places(env, config);
  read_font_dirs(env, config);
  read_webhooks(env, config);
  read_overrides(env, config.catalogue.defaults);
  if (env.fault()) return *env.fault();
  const Status files = read_files(env, config);
  if (!files) return files.failure();
  return config;
}

}  // namespace pytoon::app
