#include <iomanip>
#include <iostream>
#include <set>

#include "base/files.h"
#include "gpu/cpu/cpu_device.h"
#include "server/app/commands.h"
#include "server/app/ground.h"
#include "server/app/studio.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;

class Report {
 public:
  void ok(const std::string& name, const std::string& detail) { line("ok", name, detail); }
  void bad(const std::string& name, const std::string& detail) {
    line("FAIL", name, detail);
    healthy_ = false;
  }
  void note(const std::string& name, const std::string& detail) { line("note", name, detail); }
  bool healthy() const { return healthy_; }

 private:
  static void line(const char* mark, const std::string& name, const std::string& detail) {
    std::cout << std::left << std::setw(6) << mark << std::setw(11) << name << detail << "\n";
  }
  bool healthy_ = true;
};

std::string gib(std::uintmax_t bytes) {
  return std::to_string(bytes / (1024 * 1024 * 1024)) + " GiB";
}

void check_cpu(const Config& config, Report& report) {
  const auto device = gpu::make_cpu_device();
  report.ok("cpu", device->description() + ", " + std::to_string(config.worker_concurrency) +
                       " segments at once");
}

void check_encoder(const Config& config, Report& report) {
  const Status probed = media::probe_encoder(config.encoder.codec);
  const std::string name = config.encoder.codec + " " + config.encoder.preset;
  if (probed) {
    report.ok("encoder", name + ", real frames encoded");
  } else {
    report.bad("encoder", name + ": " + probed.failure().detail);
  }
}

void check_fonts(const Config& config, const media::FontLibrary& fonts, Report& report) {
  for (const std::string& family : fonts.missing_families()) {
    report.bad("fonts", family + " is missing: run scripts/setup");
  }
  std::set<std::string> families;
  for (const auto& [id, preset] : config.catalogue.presets) {
    families.insert(preset.caption_style.font);
  }
  std::string installed;
  for (const std::string& family : families) {
    if (const auto other = fonts.substitution(family)) {
      report.note("fonts", other->wanted + " is not installed: " + other->used + " stands in");
    } else {
      installed += (installed.empty() ? "" : ", ") + family;
    }
  }
  report.ok("fonts", installed);
}

void check_database(const Config& config, Clock& clock, Report& report) {
  const std::string place = is_postgres(config) ? "PostgreSQL" : config.database.string();
  const auto store = open_record(config, clock);
  if (!store && store.failure().kind == FailureKind::kConflict) {
    report.note("database", store.failure().detail);
    return;
  }
  const Status probed = store ? (*store)->probe() : Status(store.failure());
  if (probed) {
    report.ok("database", place);
  } else {
    report.bad("database", probed.failure().detail);
  }
}

void check_webhooks(const Config& config, Report& report) {
  if (config.webhook_keys.empty()) {
    report.note("webhooks", config.production ? "off: WEBHOOK_SECRET is not set"
                                              : "signed with this installation's own secret");
  } else {
    report.ok("webhooks", std::to_string(config.webhook_keys.size()) + " secret(s)");
  }
}

void check_storage(const Config& config, Report& report) {
  std::error_code error;
  fs::create_directories(config.storage_root, error);
  const fs::path probe = config.storage_root / ".tmp-doctor";
  const Status written = write_file_atomically(probe, "doctor");
  fs::remove(probe, error);
  if (!written) {
    report.bad("storage", written.failure().detail);
    return;
  }
  const fs::space_info space = fs::space(config.storage_root, error);
  report.ok("storage", config.storage_root.string() + ", " + gib(space.available) + " free");
}

}  // namespace

int doctor(const Config& config) {
  SystemClock clock;
  Log log(clock, std::cerr, LogLevel::kWarning);
  Report report;
  report.ok("config", config.config_dir.string() + ", " +
                          std::to_string(config.catalogue.presets.size()) + " presets");
  check_cpu(config, report);
  const Result<Studio> studio = open_studio(config, log);
  if (studio) {
    check_encoder(config, report);
    check_fonts(config, *studio->fonts, report);
  } else {
    report.bad("media", studio.failure().detail);
  }
  check_database(config, clock, report);
  check_storage(config, report);
  check_webhooks(config, report);
  for (const std::string& name : config.unused) {
    report.note("setting", name + " is set, but what it configures is not built yet");
  }
  std::cout << (report.healthy() ? "The main job can run here.\n"
                                 : "The main job can't run here: see FAIL above.\n");
  return report.healthy() ? 0 : 1;
}

}  // namespace pytoon::app
