// What an operator decides: environment variables over config/*.yaml, checked once at start. A
// wrong value is one Failure whose detail is one line that names the variable or the file.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "engines/engine_table.h"
#include "gpu/device_choice.h"
#include "pipeline/media/encoder_choice.h"
#include "pipeline/plan/planner.h"
#include "server/app/env.h"
#include "server/http/cors.h"
#include "server/http/handler_pools.h"
#include "server/http/ip_address.h"
#include "server/io/database_url.h"
#include "server/io/redis/redis_url.h"
#include "server/io/storage/s3_options.h"
#include "server/jobs/retention.h"
#include "server/jobs/tenant_plan.h"
#include "server/jobs/webhook_sender.h"

namespace pytoon::app {

struct Config {
  bool production = false;              // PYTOON_ENV: dev (default) | production
  std::string api_host = "0.0.0.0";     // API_HOST
  int api_port = 8080;                  // API_PORT; 0 takes a free one
  std::string api_key;                  // API_KEY; never logged
  std::filesystem::path api_keys_file;  // API_KEYS_FILE: lines "key tenant scope[,scope]"
  int worker_concurrency = 1;           // WORKER_CONCURRENCY: threads that draw; default: the cores
  int decoder_processes = 4;            // DECODER_PROCESSES: files decoded at once; default: cores
  int decoders_waiting = 2;             // DECODERS_WAITING: of them, made ahead of their files
  int image_cache_mb = 256;             // IMAGE_CACHE_MB: of prepared images, kept for reuse
  std::uint64_t image_cache_bytes() const { return std::uint64_t(image_cache_mb) << 20; }
  int max_queued_jobs = 10'000;  // MAX_QUEUED_JOBS
  // config/plans.yaml; RATE_LIMIT_RPS and MAX_QUEUED_JOBS_PER_TENANT overrule its "default".
  jobs::TenantPlans plans;
  std::chrono::hours session_life{12};    // SESSION_HOURS: of a browser that signed in
  int max_connections_per_address = 512;  // MAX_CONNECTIONS_PER_ADDRESS
  http::CorsOrigins cors;                 // CORS_ORIGINS: whose pages may call the API
  http::AddressSet trusted_proxies;       // TRUSTED_PROXIES: whose X-Forwarded-For is believed
  LogLevel log_level = LogLevel::kInfo;   // LOG_LEVEL: debug | info | warning | error
  std::filesystem::path storage_root;     // STORAGE_ROOT
  io::DatabaseUrl database_url;           // DB_URL: sqlite:///relative, sqlite:////absolute, or
                                          // postgresql://...; may hold a password: never logged
  std::filesystem::path data_dir;         // what an installation makes for itself: keys
  std::optional<io::S3Options> s3;        // STORAGE_BACKEND=s3 with S3_*, or MINIO_*
  std::optional<io::RedisAddress> redis;  // REDIS_URL
  bool reuse_segments = true;             // REUSE_SEGMENTS
  int worker_port = 8081;  // WORKER_PORT: /health, /ready, /metrics of `pytoon worker`
  std::chrono::milliseconds lease{20'000};  // LEASE_SECONDS: a dead worker is noticed after it
  std::string spans_endpoint;               // OTEL_EXPORTER_OTLP_ENDPOINT; "" sends none
  std::vector<std::pair<std::string, std::string>> spans_headers;  // OTEL_EXPORTER_OTLP_HEADERS
  jobs::Retention retention;              // RETENTION_*, over config/defaults.yaml
  std::vector<std::string> webhook_keys;  // WEBHOOK_SECRET, decoded; never logged
  bool webhooks_allow_private = false;    // WEBHOOKS_ALLOW_PRIVATE: for development
  jobs::RetrySchedule webhook_schedule = jobs::webhook_schedule();  // WEBHOOK_RETRY_SECONDS
  std::filesystem::path config_dir;                                 // PYTOON_CONFIG_DIR
  std::filesystem::path cache_dir;                                  // PYTOON_CACHE_DIR
  bool cache_dir_chosen = false;         // by PYTOON_CACHE_DIR, not by default
  std::filesystem::path user_cache_dir;  // pytoon's part of XDG_CACHE_HOME; empty without a home
  media::EncoderPreference encoder;      // config/engine.yaml
  int audio_threads = 2;                 // likewise, pools
  int gpu_pieces_per_segment = 4;        // likewise
  http::PoolSizes http_pools;            // likewise
  engines::EngineTable engines;          // likewise, with COMFYUI_BASE_URL, API_ENGINE_*
  plan::Catalogue catalogue;             // config/presets.yaml, platforms.yaml, defaults.yaml
  // PYTOON_DEVICE: auto | cpu | cuda
  gpu::DevicePreference device = gpu::DevicePreference::kAuto;
  // PYTOON_FONT_DIRS=a:b; empty: the system's
  std::vector<std::filesystem::path> font_dirs;
};

inline bool is_postgres(const Config& config) {
  return config.database_url.kind == io::DatabaseUrl::Kind::kPostgres;
}

// Of variables that overrule a file: what holds, in the unit of the table of settings.
std::vector<std::pair<std::string, std::string>> values_of_files(const Config& config);

// Values of the environment (settings.h) and the files of its config folder.
Result<Config> read_config(const Environment& environment);

}  // namespace pytoon::app
