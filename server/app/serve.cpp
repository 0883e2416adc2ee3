#include <sys/stat.h>

#include <csignal>
#include <iostream>

#include "base/files.h"
#include "engines/clip_verifier.h"
#include "server/app/commands.h"
#include "server/app/house.h"
#include "server/app/stop_signals.h"
#include "server/http/http_server.h"
#include "server/io/sqlite_store.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kFreeBytesMin = 256UL * 1024 * 1024;
constexpr std::chrono::seconds kPatience{25};  // for answers under way when we stop

int refuse(const Failure& fault) {
  std::cerr << "pytoon: " << fault.detail << "\n";
  return 1;
}

// In dev, without API_KEY: a key of this installation's own, made once and kept beside the
// database.
Result<std::string> own_key(const Config& config, Log& log) {
  const fs::path file = config.database.parent_path() / "api_key";
  if (!fs::exists(file)) {
    RandomIds ids;
    const Status written = write_file_atomically(file, ids.next());
    if (!written) return written.failure();
    if (::chmod(file.c_str(), S_IRUSR | S_IWUSR) != 0) {
      return errno_failure(errno, "can't protect " + file.string());
    }
  }
  log.info("api_key_file", {{"path", file.string()}});
  return read_file(file);
}

Result<http::KeyRing> read_keys(const Config& config, Log& log) {
  std::string lines;
  if (!config.api_keys_file.empty()) {
    Result<std::string> text = read_file(config.api_keys_file);
    if (!text) return text.failure();
    lines = std::move(*text);
  }
  Result<http::KeyRing> ring = http::KeyRing::parse(lines);
  if (!ring) return ring;
  std::string key = config.api_key;
  if (key.empty() && ring->size() == 0) {
    Result<std::string> own = own_key(config, log);
    if (!own) return own.failure();
    key = std::move(*own);
  }
  if (key.empty()) return ring;
  const Status added = ring->add_admin_key(key);
  if (!added) return added.failure();
  return ring;
}

http::Options http_options(const Config& config) {
  http::Options options;
  options.host = config.api_host;
  options.port = static_cast<std::uint16_t>(config.api_port);
  options.spool_folder = config.storage_root / ".spool";
  // What is no clip is measured again, by its category.
  options.upload_bytes_max = static_cast<std::uint64_t>(jobs::kClipBytesMax);
  options.rate = {config.requests_per_second, config.requests_per_second * 5};
  return options;
}

http::Callbacks callbacks_of(House& house) {
  return {[&house] { return house.metrics().text(); },
          [&house](const http::Served& served) {
            house.metrics().http_request(served.method, served.route, served.status,
                                         served.seconds);
          }};
}

// The order of leaving: refuse new work, put down running work, let answers finish.
void leave(House& house, http::HttpServer& server, Log& log) {
  log.info("stopping");
  house.health().set_draining(true);
  server.begin_drain();
  house.workers().stop();
  const bool whole = server.stop(kPatience);
  log.info("stopped", {{"answers_cut_off", !whole}});
}

// A server that lacks a model still serves all else: said at the start, not when a job needs it.
void warn_of_engines(House& house, const Config& config, const Clock& clock, Log& log) {
  engines::Watch watch;
  watch.deadline = clock.steady_now() + config.engines.ladder.health;
  for (const std::string& problem : house.engines().problems(watch)) {
    log.warning("engine_not_ready", {{"reason", problem}});
  }
}

}  // namespace

int serve(const Config& config) {
  const StopSignals signals;
  std::signal(SIGPIPE, SIG_IGN);
  SystemClock clock;
  Log log(clock, std::clog, config.log_level);

  std::error_code error;
  if (!config.database.parent_path().empty()) {
    fs::create_directories(config.database.parent_path(), error);
  }
  Result<Studio> studio = open_studio(config, log);
  if (!studio) return refuse(studio.failure());
  auto store = io::SqliteStore::open(config.database, clock, {});
  if (!store) return refuse(store.failure());
  auto storage = io::FileStorage::open(config.storage_root, kFreeBytesMin);
  if (!storage) return refuse(storage.failure());
  Result<http::KeyRing> keys = read_keys(config, log);
  if (!keys) return refuse(keys.failure());

  auto engines =
      engines::EngineRoom::open(config.engines, config.spend_journal, clock, engines::verify_clip);
  if (!engines) return refuse(engines.failure());

  House house(config, *studio, std::move(*store), std::move(*storage), std::move(*engines), clock,
              log);
  http::HttpServer server(http_options(config), std::move(*keys), house.service(), clock, log,
                          callbacks_of(house));
  const Status workers = house.workers().start();
  if (!workers) return refuse(workers.failure());
  const Status started = server.start();
  if (!started) return refuse(started.failure());

  for (const std::string& name : config.unused) log.warning("setting_not_used", {{"name", name}});
  log.info("serving", {{"host", config.api_host},
                       {"port", server.port()},
                       {"device", studio->device->description()},
                       {"workers", config.worker_concurrency},
                       {"version", PYTOON_VERSION}});
  warn_of_engines(house, config, clock, log);
  signals.wait();
  leave(house, server, log);
  return 0;
}

}  // namespace pytoon::app
