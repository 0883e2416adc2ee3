#include "server/app/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <thread>

#include "base/web_address.h"
#include "base/yaml.h"
#include "pipeline/spec/field_reader.h"
#include "server/app/read_plans.h"
#include "server/app/settings.h"
#include "server/jobs/webhook_signature.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

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
  config.lease = std::chrono::seconds(env.whole("LEASE_SECONDS"));
}

void read_traces(Variables& env, Config& config) {
  config.spans_endpoint = env.text("OTEL_EXPORTER_OTLP_ENDPOINT").value_or("");
  while (config.spans_endpoint.ends_with('/')) config.spans_endpoint.pop_back();
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

Failure in_file(const fs::path& path, Failure fault) {
  fault.detail = path.string() + ": " + fault.detail;
  return fault;
}

constexpr int kLongestDays = 36'500;

struct RetentionSetting {
  const char* field;     // of the section retention in defaults.yaml
  const char* variable;  // overrules it
  std::chrono::hours jobs::Retention::*age;
  int unit_hours = 24;
};

constexpr std::array<RetentionSetting, 10> kRetentionSettings{{
    {"done_jobs_days", "RETENTION_DONE_JOBS_DAYS", &jobs::Retention::done_jobs},
    {"failed_jobs_days", "RETENTION_FAILED_JOBS_DAYS", &jobs::Retention::failed_jobs},
    {"cancelled_jobs_days", "RETENTION_CANCELLED_JOBS_DAYS", &jobs::Retention::cancelled_jobs},
    {"job_records_days", "RETENTION_JOB_RECORDS_DAYS", &jobs::Retention::job_records},
    {"unused_assets_days", "RETENTION_UNUSED_ASSETS_DAYS", &jobs::Retention::unused_assets},
    {"idempotency_records_days", "RETENTION_IDEMPOTENCY_RECORDS_DAYS",
     &jobs::Retention::idempotency_records},
    {"events_days", "RETENTION_EVENTS_DAYS", &jobs::Retention::events},
    {"dead_letters_days", "RETENTION_DEAD_LETTERS_DAYS", &jobs::Retention::dead_letters},
    {"purchases_days", "RETENTION_PURCHASES_DAYS", &jobs::Retention::purchases},
    {"orphans_hours", "RETENTION_ORPHANS_HOURS", &jobs::Retention::orphans, 1},
}};

void read_retention(spec::FieldReader& r, jobs::Retention& retention) {
  for (const RetentionSetting& setting : kRetentionSettings) {
    if (!r.has(setting.field)) continue;
    const std::int64_t units = r.whole(setting.field, 0, kLongestDays);
    retention.*setting.age = std::chrono::hours(units * setting.unit_hours);
  }
  r.finish();
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
  for (const RetentionSetting& setting : kRetentionSettings) {
    if (!env.text(setting.variable)) continue;
    const int units = env.whole_or(setting.variable, 0);
    retention.*setting.age = std::chrono::hours(units * setting.unit_hours);
  }
}

Status read_defaults(const fs::path& path, plan::Defaults& defaults, jobs::Retention& retention) {
  Result<Json> json = read_yaml(path);
  if (!json) return json.failure();
  std::vector<FieldFault> faults;
  spec::FieldReader r(*json, "", faults);
  defaults.target_duration_seconds = static_cast<int>(r.whole("target_duration_seconds", 1, 60));
  defaults.segment_duration_seconds = static_cast<int>(r.whole("segment_duration_seconds", 2, 4));
  if (r.has("quality")) defaults.quality = r.choice<spec::Quality>("quality");
  if (const Json* prompts = r.object("segment_prompts")) {
    spec::FieldReader p(*prompts, "/segment_prompts", faults);
    for (const std::string_view name : spec::all_names<spec::Archetype>()) {
      defaults.segment_prompts[*spec::from_name<spec::Archetype>(name)] =
          p.text(std::string(name), 1, 1000);
    }
    p.finish();
  }
  // A folder of before has no such section: what it lacks has a default.
  if (const Json* section = r.has("retention") ? r.object("retention") : nullptr) {
    spec::FieldReader t(*section, "/retention", faults);
    read_retention(t, retention);
  }
  r.finish();
  if (!faults.empty()) return in_file(path, spec::invalid(std::move(faults)));
  return ok_status();
}

engines::EngineVariables engine_variables(const Variables& env) {
  return {env.text("COMFYUI_BASE_URL").value_or(""), env.text("API_ENGINE_BASE_URL").value_or(""),
          env.text("API_ENGINE_KEY").value_or(""), env.text("API_ENGINE_PROVIDER").value_or("")};
}

media::EncoderPreference::Codec read_codec(spec::FieldReader& r) {
  using Codec = media::EncoderPreference::Codec;
  const std::string name = r.text("codec", 0, 40);
  if (name == media::kCodecNvenc) return Codec::kNvenc;
  if (name == media::kCodecX264) return Codec::kX264;
  if (name != "auto") r.fault("codec", "must be one of auto, h264_nvenc, libx264");
  return Codec::kAuto;
}

// x264's own. placebo is left out: it makes every job slower and none better.
constexpr std::array<std::string_view, 9> kX264Presets{
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"};

std::string read_x264_preset(spec::FieldReader& r) {
  const std::string preset = r.text("x264_preset", 1, 20);
  const bool known = std::ranges::find(kX264Presets, preset) != kX264Presets.end();
  if (!known && !preset.empty()) {
    r.fault("x264_preset", "must be " + spec::one_of({kX264Presets.begin(), kX264Presets.end()}));
  }
  return preset;
}

int read_factor(spec::FieldReader& r, const char* name) {
  return static_cast<int>(r.whole(name, 10, 35));
}

void read_nvenc(spec::FieldReader& r, media::EncoderSettings& nvenc) {
  if (r.has("nvenc_preset")) {
    nvenc.preset = r.text("nvenc_preset", 2, 2);
    if (nvenc.preset < "p1" || nvenc.preset > "p7") {
      r.fault("nvenc_preset", "must be one of p1 to p7");
    }
  }
  if (r.has("nvenc_cq")) nvenc.crf = read_factor(r, "nvenc_cq");
}

// What a quality does not say is as in the section, and so is a quality that is not there.
void read_qualities(const Json& json, media::EncoderPreference& preference,
                    std::vector<FieldFault>& faults) {
  spec::FieldReader r(json, "/encoder/qualities", faults);
  for (const std::string_view quality : spec::all_names<spec::Quality>()) {
    const std::string name(quality);
    const Json* const part = r.has(name) ? r.object(name) : nullptr;
    if (part == nullptr) continue;
    spec::FieldReader q(*part, "/encoder/qualities/" + name, faults);
    media::EncoderSettings& x264 = preference.x264_grades[name] = preference.x264;
    media::EncoderSettings& nvenc = preference.nvenc_grades[name] = preference.nvenc;
    if (q.has("x264_preset")) x264.preset = read_x264_preset(q);
    if (q.has("crf")) x264.crf = read_factor(q, "crf");
    read_nvenc(q, nvenc);
    q.finish();
  }
  r.finish();
}

void read_encoder(const Json& json, media::EncoderPreference& preference,
                  std::vector<FieldFault>& faults) {
  spec::FieldReader r(json, "/encoder", faults);
  if (r.has("codec")) preference.codec = read_codec(r);
  preference.x264.preset = read_x264_preset(r);
  preference.x264.crf = read_factor(r, "crf");
  if (r.has("x264_threads")) {
    preference.x264.threads = static_cast<int>(r.whole("x264_threads", 1, 8));
  }
  read_nvenc(r, preference.nvenc);
  preference.x264.max_bitrate_kbps = static_cast<int>(r.whole("max_bitrate_kbps", 1000, 12000));
  preference.nvenc.max_bitrate_kbps = preference.x264.max_bitrate_kbps;
  if (r.has("nvenc_sessions")) {
    preference.nvenc_sessions = static_cast<int>(r.whole("nvenc_sessions", 0, 64));
  }
  if (const Json* const part = r.has("qualities") ? r.object("qualities") : nullptr) {
    read_qualities(*part, preference, faults);
  }
  r.finish();
}

// Threads by purpose. What the file does not say stays as it is.
void read_pools(spec::FieldReader& r, Config& config) {
  const auto threads = [&r](const char* name, int& count) {
    if (r.has(name)) count = static_cast<int>(r.whole(name, 1, 256));
  };
  threads("audio", config.audio_threads);
  threads("gpu_pieces_per_segment", config.gpu_pieces_per_segment);
  threads("http_api", config.http_pools.api.threads);
  threads("http_operators", config.http_pools.operators.threads);
  threads("http_uploads", config.http_pools.uploads.threads);
  threads("http_downloads", config.http_pools.downloads.threads);
  threads("http_previews", config.http_pools.previews.threads);
}

Status read_engines(const fs::path& path, const engines::EngineVariables& variables,
                    Config& config) {
  Result<Json> json = read_yaml(path);
  if (!json) return json.failure();
  std::vector<FieldFault> faults;
  spec::FieldReader r(*json, "", faults);
  if (const Json* part = r.object("encoder")) {
    read_encoder(*part, config.encoder, faults);
  }
  if (const Json* part = r.has("pools") ? r.object("pools") : nullptr) {
    spec::FieldReader p(*part, "/pools", faults);
    read_pools(p, config);
    p.finish();
  }
  // Without the section there is the compositor alone.
  const Json* const section = r.has("engines") ? r.object("engines") : nullptr;
  r.finish();
  if (!faults.empty()) return in_file(path, spec::invalid(std::move(faults)));
  if (section == nullptr) return ok_status();
  Result<engines::EngineTable> table =
      engines::read_engine_table(*section, config.config_dir, variables);
  if (!table) {
    // Faults of fields are this file's; others name their own file or variable.
    return table.failure().faults.empty() ? table.failure() : in_file(path, table.failure());
  }
  config.engines = std::move(*table);
  return ok_status();
}

Status read_tenant_plans(Variables& env, Config& config) {
  Result<jobs::TenantPlans> plans = read_plans(config.config_dir / "plans.yaml");
  if (!plans) return plans.failure();
  config.plans = std::move(*plans);
  jobs::TenantPlan& plan = config.plans["default"];
  if (env.text("MAX_QUEUED_JOBS_PER_TENANT")) {
    plan.queued_jobs = env.whole("MAX_QUEUED_JOBS_PER_TENANT");
  }
  if (env.text("RATE_LIMIT_RPS")) {
    constexpr double kBurstSeconds = 5;
    plan.requests_per_second = env.whole("RATE_LIMIT_RPS");
    plan.request_burst = kBurstSeconds * plan.requests_per_second;
  }
  return env.fault() ? Status(*env.fault()) : ok_status();
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
  const Status defaults = read_defaults(config.config_dir / "defaults.yaml",
                                        config.catalogue.defaults, config.retention);
  if (!defaults) return defaults;
  override_retention(env, config.retention);
  if (Status plans = read_tenant_plans(env, config); !plans) return plans;
  if (env.fault()) return *env.fault();
  return read_engines(config.config_dir / "engine.yaml", engine_variables(env), config);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> values_of_files(const Config& config) {
  std::vector<std::pair<std::string, std::string>> values;
  for (const RetentionSetting& setting : kRetentionSettings) {
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
