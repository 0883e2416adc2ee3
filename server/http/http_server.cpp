#include "server/http/http_server.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>

#include "server/http/acceptor.h"
#include "server/http/connection_table.h"
#include "server/http/routes.h"
#include "server/http/spool_file.h"

namespace pytoon::http {
namespace {

constexpr int kReactorThreads = 4;
constexpr std::size_t kDescriptorsKept = 128;     // for everything that is not a connection
constexpr std::size_t kDescriptorsPerStream = 3;  // socket, its duplicate, the file
constexpr std::chrono::milliseconds kClosingPatience{2000};

ConnectionLimits affordable(ConnectionLimits wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const std::size_t free = limit.rlim_cur - std::min<std::size_t>(limit.rlim_cur, kDescriptorsKept);
  const std::size_t most = std::max<std::size_t>(wanted.all, 1);
  wanted.all = std::clamp<std::size_t>(free / kDescriptorsPerStream, 1, most);
  return wanted;
}

bool sigpipe_ignored() {
  struct sigaction action {};
  return ::sigaction(SIGPIPE, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

std::vector<Route> routes_of(const Options& options, jobs::Service& service,
                             const std::atomic<bool>& draining, Credentials& credentials,
                             ProcessReport report) {
  if (!options.operators_only) {
    return all_routes(service, draining, credentials, std::move(report));
  }
  return operator_routes(service, draining, std::move(report));
}

}  // namespace

// In the order of construction; destroyed the other way round, after stop() has joined the threads.
struct HttpServer::Parts {
  Parts(Options wanted, KeyRing keys, jobs::Service& service, const Clock& clock, Log& log,
        Callbacks callbacks)
      : options(std::move(wanted)),
        credentials(options.credentials_secret, options.session_life, clock),
        gate(routes_of(options, service, draining, credentials,
                       {std::move(callbacks.metrics_text), std::move(callbacks.unusable)}),
             std::move(keys), options.plans, options.failures, options.proxies, options.cors,
             BodyLimits{options.json_bytes_max, options.json_bytes_held_max,
                        options.json_bytes_held_of_tenant_max, options.uploads,
                        options.spool_folder},
             clock, log, draining, credentials),
        access(log, std::move(callbacks.on_served)),
        files(clock, options.time.stall),
        events(clock, options.time.stall),
        pools(options.pools, log),
        upload_budget(options.upload_bytes_held_max),
        context{gate,   pools, files, events, in_flight,    silent,  upload_budget,
                access, ids,   clock, log,    options.time, draining},
        table(affordable(options.connections), clock),
        acceptor(context, table) {}

  const Options options;
  std::atomic<bool> draining{false};
  InFlight in_flight;
  Credentials credentials;
  RequestGate gate;
  AccessLog access;
  Streamer files;
  Streamer events;
  HandlerPools pools;
  const SilentSocket silent;
  RandomIds ids;
  ByteBudget upload_budget;
  ServerContext context;
  ConnectionTable table;
  Acceptor acceptor;
  bool stopped = false;
};

HttpServer::HttpServer(Options options, KeyRing keys, jobs::Service& service, const Clock& clock,
                       Log& log, Callbacks callbacks)
    : parts_(std::make_unique<Parts>(std::move(options), std::move(keys), service, clock, log,
                                     std::move(callbacks))) {}

HttpServer::~HttpServer() { stop(std::chrono::milliseconds(0)); }

Status HttpServer::start() {
  if (!sigpipe_ignored()) return failure(FailureKind::kInvalid, "the process must ignore SIGPIPE");
  if (Status cleared = clear_spool(parts_->options.spool_folder); !cleared) return cleared;
  return parts_->acceptor.start({parts_->options.host, parts_->options.port}, kReactorThreads);
}

std::uint16_t HttpServer::port() const { return parts_->acceptor.port(); }

int HttpServer::in_flight() const { return parts_->in_flight.count(); }

std::vector<jobs::PoolState> HttpServer::pools() const { return parts_->pools.states(); }

void HttpServer::replace_keys(KeyRing keys) { parts_->gate.replace_keys(std::move(keys)); }

std::map<std::string, WallTime> HttpServer::take_key_uses() { return parts_->gate.take_key_uses(); }

void HttpServer::begin_drain() {
  parts_->draining = true;
  parts_->events.end_events();
  for (const auto& connection : parts_->table.all()) connection->close_if_idle();
}

bool HttpServer::stop(std::chrono::milliseconds patience) {
  if (std::exchange(parts_->stopped, true)) return true;
  begin_drain();
  const bool drained = parts_->in_flight.wait_for_none(patience);
  // Shut sockets make the reactors close their descriptors; new ones may come until they end.
  for (const auto& connection : parts_->table.all()) connection->drop();
  parts_->table.wait_for_none(kClosingPatience);
  parts_->acceptor.stop();
  parts_->pools.stop();
  parts_->files.stop();
  parts_->events.stop();
  parts_->table.stop();
  for (const auto& connection : parts_->table.all()) {
    if (const int fd = connection->take_descriptor(); fd >= 0) ::close(fd);
  }
  return drained;
}

}  // namespace pytoon::http
