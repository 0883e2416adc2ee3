// What an operator decides: environment variables over config/*.yaml, checked once at start. A
// wrong value is one Failure whose detail is one line that names the variable or the file.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/result.h"
#include "pipeline/media/video_format.h"
#include "pipeline/plan/planner.h"
#include "server/app/env.h"
#include "server/jobs/webhook_sender.h"

namespace pytoon::app {

struct Config {
  bool production = false;               // PYTOON_ENV: dev (default) | production
  std::string api_host = "0.0.0.0";      // API_HOST
  int api_port = 8080;                   // API_PORT; 0 takes a free one
  std::string api_key;                   // API_KEY; never logged
  std::filesystem::path api_keys_file;   // API_KEYS_FILE: lines "key tenant scope[,scope]"
  int worker_concurrency = 1;            // WORKER_CONCURRENCY: segments at once; default: the cores
  int max_queued_jobs = 1000;            // MAX_QUEUED_JOBS
  double requests_per_second = 200;      // RATE_LIMIT_RPS: per key
  LogLevel log_level = LogLevel::kInfo;  // LOG_LEVEL: debug | info | warning | error
  std::filesystem::path storage_root;    // STORAGE_ROOT
  std::string database_url;              // DB_URL: sqlite:///relative, sqlite:////absolute, or
                                         // postgresql://...; may hold a password: never logged
  std::filesystem::path database;        // of SQLite; "" for PostgreSQL
  std::filesystem::path data_dir;        // what an installation makes for itself: keys
  int worker_port = 8081;  // WORKER_PORT: /health, /ready, /metrics of `pytoon worker`
  std::chrono::milliseconds lease{20'000};  // LEASE_SECONDS: a dead worker is noticed after it
  int retention_days = 0;                   // RETENTION_DAYS: of files of ended jobs; 0 is for ever
  std::vector<std::string> webhook_keys;    // WEBHOOK_SECRET, decoded; never logged
  bool webhooks_allow_private = false;      // WEBHOOKS_ALLOW_PRIVATE: for development
  jobs::RetrySchedule webhook_schedule = jobs::webhook_schedule();  // WEBHOOK_RETRY_SECONDS
  std::filesystem::path config_dir;                                 // PYTOON_CONFIG_DIR
  std::filesystem::path cache_dir;                                  // PYTOON_CACHE_DIR
  media::EncoderSettings encoder;                                   // config/engine.yaml
  plan::Catalogue catalogue;        // config/presets.yaml, platforms.yaml, defaults.yaml
  std::vector<std::string> unused;  // variables that are set for parts not built yet
};

inline bool is_postgres(const Config& config) { return config.database.empty(); }

// Values of the environment and the files of its config folder.
Result<Config> read_config(const Environment& environment);

}  // namespace pytoon::app
