#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "base/base64.h"
#include "base/curl_client.h"
#include "engines/clip_verifier.h"
#include "server/app/backends.h"
#include "server/app/commands.h"
#include "server/app/key_book.h"
#include "server/app/periodic_task.h"
#include "server/app/serving.h"
#include "server/http/http_server.h"
#include "server/jobs/webhook_signature.h"

namespace pytoon::app {
namespace {

constexpr std::chrono::seconds kKeyPause{2};  // how late a key that was revoked ends

int refuse(const Failure& fault) {
  std::cerr << "pytoon: " << fault.detail << "\n";
  return fault.kind == FailureKind::kInvalid ? 2 : 1;
}

const char* name_of(Role role) {
  if (role == Role::kServe) return "serve";
  return role == Role::kApi ? "api" : "worker";
}

Result<std::string> shared_secret(io::SqlStore& store, const std::string& name) {
  RandomIds ids;
  return store.shared_secret(name, ids.next() + ids.next());
}

// In dev webhooks are signed with a secret of our own when none was set; in production they are
// off.
Status complete_webhook_keys(Config& config, Log& log) {
  if (!config.webhook_keys.empty()) return ok_status();
  if (config.production) {
    log.warning("webhooks_off", {{"reason", "WEBHOOK_SECRET is not set"}});
    return ok_status();
  }
  RandomIds ids;
  const Result<std::string> own = own_secret(
      config, "webhook_secret", "whsec_" + base64((ids.next() + ids.next()).substr(0, 60)));
  if (!own) return own.failure();
  Result<std::vector<std::string>> keys = jobs::webhook_keys(*own);
  if (!keys) return keys.failure();
  config.webhook_keys = std::move(*keys);
  log.info("webhook_secret_file", {{"path", (config.data_dir / "webhook_secret").string()}});
  return ok_status();
}

http::Options http_options(Role role, const Config& config) {
  const int port = role == Role::kWorker ? config.worker_port : config.api_port;
  http::Options options;
  options.host = config.api_host;
  options.port = static_cast<std::uint16_t>(port);
  options.operators_only = role == Role::kWorker;
  options.pools = config.http_pools;
  // A process's own: several share a storage.
  options.spool_folder = role == Role::kServe
                             ? config.storage_root / ".spool"
                             : config.cache_dir / ("spool-" + std::to_string(port));
  options.plans = config.plans;
  options.connections.of_address = static_cast<std::size_t>(config.max_connections_per_address);
  options.proxies = config.trusted_proxies;
  options.cors = config.cors;
  options.session_life = config.session_life;
  return options;
}

// A server that lacks a model still serves all else: said at the start, not when a job needs it.
void warn_of_engines(Application& application, const Config& config, const Clock& clock, Log& log) {
  engines::Watch watch;
  watch.deadline = clock.steady_now() + config.engines.engine_chain.health;
  for (const std::string& problem : application.engines().problems(watch)) {
    log.warning("engine_not_ready", {{"reason", problem}});
  }
}

// What we write is nobody else's; and each client and each decoder takes descriptors, of which
// services are often started with fewer than they may have.
void prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(0077);
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
}

// key_book: null where no keys are accepted.
int serve_until_stopped(Application& application, http::HttpServer& server,
                        const StopSignals& signals, Log& log, KeyBook* key_book) {
  std::optional<PeriodicTask> looking;
  if (key_book != nullptr) {
    looking.emplace(
        [&server, key_book] {
          key_book->look(server);
          return false;
        },
        kKeyPause);
  }
  return run_until_stopped(application, server, signals, log, [&server, key_book] {
    if (key_book != nullptr) key_book->reload(server);
  });
}

int run(Role role, Config config) {
  const StopSignals signals;
  prepare_process();
  SystemClock clock;
  Log log(clock, std::clog, config.log_level);

  if (Status secrets = complete_webhook_keys(config, log); !secrets) {
    return refuse(secrets.failure());
  }
  CurlClient web;
  Result<RenderStack> stack = open_render_stack(config, log, confined_decoder(config));
  if (!stack) return refuse(stack.failure());
  auto store = open_record(config, clock);
  if (!store) return refuse(store.failure());
  // A worker gives no session and no link.
  Result<std::string> secret =
      role == Role::kWorker ? std::string() : shared_secret(**store, "credentials");
  if (!secret) return refuse(secret.failure());
  auto storage = open_storage(config, role == Role::kServe, web, clock);
  if (!storage) return refuse(storage.failure());
  KeyBook key_book(config, (*store)->keys(), clock, log);
  Result<http::KeyRing> keys = role == Role::kWorker ? http::KeyRing() : key_book.open();
  if (!keys) return refuse(keys.failure());

  auto engines = engines::EngineRegistry::open(config.engines, **store, clock, log,
                                               engines::clip_verifier(*stack->decoder));
  if (!engines) return refuse(engines.failure());
  Application application(role, config, *stack, std::move(*store), std::move(*storage),
                          std::move(*engines), clock, log);
  http::Options options = http_options(role, config);
  options.credentials_secret = std::move(*secret);
  http::HttpServer server(std::move(options), std::move(*keys), application.service(), clock, log,
                          callbacks_of(application));
  application.metrics().watch_pools([&server] { return server.pools(); });
  if (Status started = application.start(); !started) return refuse(started.failure());
  if (Status started = server.start(); !started) return refuse(started.failure());

  log.info("serving", {{"role", name_of(role)},
                       {"host", config.api_host},
                       {"port", server.port()},
                       {"device", stack->device->description()},
                       {"workers", role == Role::kApi ? 0 : config.worker_concurrency},
                       {"version", PYTOON_VERSION}});
  warn_of_engines(application, config, clock, log);
  const int status = serve_until_stopped(application, server, signals, log,
                                         role == Role::kWorker ? nullptr : &key_book);
  // All is handed back by now. What would be left to take down stands on a device or on threads
  // that don't answer any more, and would only keep the supervisor waiting.
  if (status == jobs::kExitUnusable) std::_Exit(status);
  return status;
}

// SQLite belongs to one process.
int run_in_fleet(Role role, const Config& config) {
  if (is_postgres(config)) return run(role, config);
  std::cerr << "pytoon: " << name_of(role)
            << " needs PostgreSQL: set DB_URL=postgresql://..., or run `pytoon serve`, which does "
               "it all in one process on SQLite\n";
  return 2;
}

}  // namespace

int serve(const Config& config) { return run(Role::kServe, config); }
int api(const Config& config) { return run_in_fleet(Role::kApi, config); }
int worker(const Config& config) { return run_in_fleet(Role::kWorker, config); }

}  // namespace pytoon::app
