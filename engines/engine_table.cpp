#include "engines/engine_table.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "pipeline/spec/field_reader.h"

namespace pytoon::engines {
namespace {

namespace fs = std::filesystem;
using spec::FieldReader;
using Faults = std::vector<FieldFault>;

constexpr int kVideoSecondsMax = 60;
constexpr int kSlotsMax = 64;
constexpr const char* kApi = "api";  // the one that the API_ENGINE_* variables are for

std::chrono::milliseconds seconds(FieldReader& r, const std::string& name, double most) {
  return std::chrono::milliseconds(std::llround(r.number(name, 0.01, most) * 1000));
}

std::int64_t micro_usd(FieldReader& r, const std::string& name) {
  return std::llround(r.number(name, 0, 1e6) * 1e6);
}

std::vector<std::string> separated(const std::string& text) {
  std::vector<std::string> items;
  for (const std::string_view part : split(text, ',')) {
    std::string item(part);
    std::erase(item, ' ');
    if (!item.empty()) items.push_back(std::move(item));
  }
  return items;
}

// A plain name of a file beside others: never a way out of its folder.
std::string file_name(const std::string& name) { return fs::path(name).filename().string(); }

void read_job_time(FieldReader& r, EngineTable& table, Faults& faults) {
  JobTime& time = table.job_time;
  if (r.has("engine_deadline_seconds")) time.whole = seconds(r, "engine_deadline_seconds", 86'400);
  if (r.has("render_seconds_per_video_second")) {
    time.render_per_video_second = seconds(r, "render_seconds_per_video_second", 1000);
  }
  // The names of 0.1, for one release.
  if (r.has("job")) {
    const Json* const part = r.object("job");
    if (part == nullptr) return;
    FieldReader j(*part, r.at("job"), faults);
    time.whole = seconds(j, "seconds", 86'400);
    time.render_per_video_second = seconds(j, "drawing_seconds_per_second", 1000);
    j.finish();
  }
  if (faults.empty() && time.for_engines(kVideoSecondsMax).count() == 0) {
    r.fault("engine_deadline_seconds",
            "leaves engines no time beside what rendering a video of 60 s keeps back");
  }
}

void read_limits(FieldReader& r, EngineTable& table, Faults& faults) {
  table.engine_chain.health = seconds(r, "health_seconds", 60);
  table.engine_chain.generate = seconds(r, "generate_seconds", 3600);
  if (const Json* const part = r.object("breaker")) {
    FieldReader b(*part, r.at("breaker"), faults);
    table.engine_chain.breaker.failures = static_cast<int>(b.whole("failures", 1, 100));
    table.engine_chain.breaker.cool_down = seconds(b, "cool_down_seconds", 3600);
    b.finish();
  }
  read_job_time(r, table, faults);
  if (const Json* const part = r.object("spend")) {
    FieldReader s(*part, r.at("spend"), faults);
    table.caps.per_job_micro_usd = micro_usd(s, "per_job_usd");
    table.caps.per_day_micro_usd = micro_usd(s, "per_day_usd");
    s.finish();
  }
}

Status check_urls(const std::string& variable, const std::vector<std::string>& urls) {
  for (const std::string& url : urls) {
    const Result<WebAddress> address = parse_web_address(url);
    if (url.find("://") == std::string::npos) {
      return failure(FailureKind::kInvalid, variable + ": write http:// before " + url);
    }
    if (!address) {
      return failure(FailureKind::kInvalid, variable + ": " + address.failure().detail);
    }
  }
  return ok_status();
}

Result<ComfySettings> read_comfyui(const Json& json, const std::string& at, const fs::path& folder,
                                   const EngineVariables& variables, Faults& faults) {
  FieldReader r(json, at, faults);
  ComfySettings settings;
  settings.name = r.text("name", 1, 60);
  settings.remote = r.has("remote") && r.truth("remote");
  if (r.has("slots")) settings.slots_per_server = static_cast<int>(r.whole("slots", 1, kSlotsMax));
  settings.urls = separated(variables.comfyui_urls);
  if (Status good = check_urls("COMFYUI_BASE_URL", settings.urls); !good) return good.failure();
  if (r.has("urls")) settings.urls = r.texts("urls", 64, 500);
  if (Status good = check_urls(r.at("urls"), settings.urls); !good) return good.failure();
  for (const std::string& name : r.texts("workflows", 16, 60)) {
    Result<Workflow> workflow = read_workflow(folder / (file_name(name) + ".json"));
    if (!workflow) return workflow.failure();
    settings.workflows.push_back(std::move(*workflow));
  }
  if (settings.workflows.empty()) r.fault("workflows", "must name at least one");
  r.finish();
  return settings;
}

Result<RemoteSettings> read_remote(const Json& json, const std::string& at, const fs::path& folder,
                                   const EngineVariables& variables, Faults& faults) {
  FieldReader r(json, at, faults);
  RemoteSettings settings;
  settings.name = r.text("name", 1, 60);
  const bool is_api = settings.name == kApi;
  std::string provider = r.text("provider", 1, 60);
  if (is_api && !variables.api_provider.empty()) provider = variables.api_provider;
  settings.private_network = r.has("private_network") && r.truth("private_network");
  if (r.has("slots")) settings.slots = static_cast<int>(r.whole("slots", 1, kSlotsMax));
  if (r.has("base_url")) settings.base_url = r.text("base_url", 1, 500);
  r.finish();
  Result<Provider> mapping = read_provider(folder / (file_name(provider) + ".yaml"));
  if (!mapping) return mapping.failure();
  settings.provider = std::move(*mapping);
  if (!is_api) return settings;
  settings.key = variables.api_key;
  if (!variables.api_url.empty()) settings.base_url = variables.api_url;
  // A provider with an address of its own is set up by its key alone.
  if (settings.base_url.empty() && !settings.key.empty()) {
    settings.base_url = settings.provider.base_url;
  }
  if (settings.base_url.empty()) return settings;
  const Status good = check_urls("API_ENGINE_BASE_URL", {settings.base_url});
  if (!good) return good.failure();
  const bool needs_key = slots_of(Json(settings.provider.headers)).contains("key");
  if (needs_key && settings.key.empty()) {
    return failure(FailureKind::kInvalid,
                   "API_ENGINE_KEY must be set for the provider " + settings.provider.name);
  }
  return settings;
}

}  // namespace

bool costs_money(const EngineTable& table) {
  return std::any_of(table.remote.begin(), table.remote.end(), [](const RemoteSettings& one) {
    return one.provider.capabilities.micro_usd_per_second > 0;
  });
}

Result<EngineTable> read_engine_table(const Json& section, const fs::path& config_dir,
                                      const EngineVariables& variables) {
  EngineTable table;
  Faults faults;
  FieldReader r(section, "/engines", faults);
  read_limits(r, table, faults);
  if (const Json* const list = r.array("comfyui")) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      Result<ComfySettings> settings =
          read_comfyui((*list)[i], "/engines/comfyui/" + std::to_string(i),
                       config_dir / "workflows", variables, faults);
      if (!settings) return settings.failure();
      if (!settings->urls.empty()) table.comfyui.push_back(std::move(*settings));
    }
  }
  if (const Json* const list = r.array("remote")) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      Result<RemoteSettings> settings =
          read_remote((*list)[i], "/engines/remote/" + std::to_string(i), config_dir / "providers",
                      variables, faults);
      if (!settings) return settings.failure();
      if (!settings->base_url.empty()) table.remote.push_back(std::move(*settings));
    }
  }
  r.finish();
  if (!faults.empty()) return spec::invalid(std::move(faults));
  return table;
}

}  // namespace pytoon::engines
