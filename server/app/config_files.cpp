#include "server/app/config_files.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/yaml.h"
#include "pipeline/spec/field_reader.h"
#include "server/app/read_plans.h"

namespace pytoon::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kLongestDays = 36'500;

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

Status read_defaults(const Json& json, const engines::EngineVariables& /*variables*/,
                     Config& config) {
  plan::Defaults& defaults = config.catalogue.defaults;
  std::vector<FieldFault> faults;
  spec::FieldReader r(json, "", faults);
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
    read_retention(t, config.retention);
  }
  r.finish();
  if (!faults.empty()) return spec::invalid(std::move(faults));
  return ok_status();
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

Status read_engines(const Json& json, const engines::EngineVariables& variables, Config& config) {
  std::vector<FieldFault> faults;
  spec::FieldReader r(json, "", faults);
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
  if (!faults.empty()) return spec::invalid(std::move(faults));
  if (section == nullptr) return ok_status();
  Result<engines::EngineTable> table =
      engines::read_engine_table(*section, config.config_dir, variables);
  if (!table) return table.failure();
  config.engines = std::move(*table);
  return ok_status();
}

Status read_tenant_plans(const Json& json, const engines::EngineVariables& /*variables*/,
                         Config& config) {
  Result<jobs::TenantPlans> plans = read_plans(json);
  if (!plans) return plans.failure();
  config.plans = std::move(*plans);
  return ok_status();
}

constexpr std::array<SettingsFile, 3> kSettingsFiles{{
    {"defaults.yaml", false, read_defaults},
    {"plans.yaml", true, read_tenant_plans},
    {"engine.yaml", false, read_engines},
}};

void collect_values(const Json& json, const Json::json_pointer& at,
                    std::vector<Json::json_pointer>& values) {
  for (const auto& item : json.items()) {
    if (item.value().is_object()) {
      collect_values(item.value(), at / item.key(), values);
    } else if (!item.value().is_array()) {
      values.push_back(at / item.key());
    }
  }
}

// What the reader says of a text that is no number, no truth and none of a choice's names.
std::string rule_of(const SettingsFile& file, Json json, const Json::json_pointer& at,
                    Config config) {
  constexpr std::string_view kStart = "must be ";
  json[at] = "?";
  const Status read = file.read(json, {}, config);
  if (read) return "text";
  for (const FieldFault& fault : read.failure().faults) {
    if (fault.pointer == at.to_string() && fault.detail.starts_with(kStart)) {
      return fault.detail.substr(kStart.size());
    }
  }
  CHECK(false, "a wrong value of a settings file is refused without its rule");
}

std::string dotted(const Json::json_pointer& at) {
  std::string key = at.to_string().substr(1);
  std::ranges::replace(key, '/', '.');
  return key;
}

}  // namespace

std::span<const SettingsFile> settings_files() { return kSettingsFiles; }

std::span<const RetentionSetting> retention_settings() { return kRetentionSettings; }

Status read_settings_file(const SettingsFile& file, const engines::EngineVariables& variables,
                          Config& config) {
  const std::filesystem::path path = config.config_dir / file.name;
  const Result<Json> json = read_yaml(path);
  if (!json && file.optional && json.failure().kind == FailureKind::kNotFound) return ok_status();
  if (!json) return json.failure();
  const Status read = file.read(*json, variables, config);
  // Faults of fields are this file's; others name their own file or variable.
  if (read || read.failure().faults.empty()) return read;
  Failure fault = read.failure();
  fault.detail = path.string() + ": " + fault.detail;
  return fault;
}

std::vector<FileKey> keys_of(const SettingsFile& file, const Json& json, const Config& config) {
  std::vector<Json::json_pointer> values;
  collect_values(json, Json::json_pointer(), values);
  std::vector<FileKey> keys;
  for (const Json::json_pointer& at : values) {
    const Json& value = json.at(at);
    keys.push_back({dotted(at), value.is_string() ? value.get<std::string>() : value.dump(),
                    rule_of(file, json, at, config)});
  }
  return keys;
}

}  // namespace pytoon::app
