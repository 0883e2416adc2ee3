// The HTTP front of Pytoon: REST in, JSON, files and event streams out. Everything it knows of the
// product it asks of a jobs::Service; it decides nothing.
//
// The process must ignore SIGPIPE (start() refuses otherwise: the library below would let a client
// that hangs up kill the process) and should block the signals it waits for before start(), so
// that the server's threads inherit the mask. TLS and HTTP/2 belong to a proxy in front.
//
// Thread rule: start() and stop() from one thread; the others from any. Callbacks come from many
// threads at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "server/http/access_record.h"
#include "server/http/connection_table.h"
#include "server/http/cors.h"
#include "server/http/handler_pools.h"
#include "server/http/key_ring.h"
#include "server/http/limits.h"
#include "server/http/rate_limiter.h"
#include "server/jobs/service.h"
#include "server/jobs/upload_rules.h"

namespace pytoon::http {

struct Options {
  std::string host = "127.0.0.1";      // IPv4 or IPv6 literal
  std::uint16_t port = 8080;           // 0 takes any free one
  PoolSizes pools;                     // threads that run handlers; four more read the sockets
  std::filesystem::path spool_folder;  // for uploads on their way; this process's own
  jobs::UploadLimits uploads;
  std::uint64_t json_bytes_max = 1'000'000;
  std::uint64_t json_bytes_held_max = 64'000'000;  // of all requests together
  std::uint64_t json_bytes_held_of_tenant_max = 16'000'000;
  // Of all uploads together: what waits to be written to the disk. Beyond it uploads are refused.
  std::uint64_t upload_bytes_held_max = 64'000'000;
  bool operators_only = false;   // only what needs no key: /health, /ready, /metrics, /openapi.json
  ConnectionLimits connections;  // `all` is lowered to what the descriptor limit allows
  AddressSet proxies;            // whose X-Forwarded-For is believed; not limited by address
  CorsOrigins cors;              // whose pages may call the API
  jobs::TenantPlans plans;       // limits of keys and their tenants
  RateLimit failures{1.0 / 3, 20};  // of wrong keys per address
  TimeLimits time;
  // Of sessions and signed links (credentials.h): the same for all processes behind one address;
  // "" is one that no other process knows.
  std::string credentials_secret;
  std::chrono::seconds session_life = std::chrono::hours(12);
};

struct Callbacks {
  std::function<std::string()> metrics_text;  // body of GET /metrics; none: an empty text
  // Why only a new process helps, for GET /health; nullopt while it does not. Asked in the threads
  // that read the sockets: must not block. May be empty: never.
  std::function<std::optional<std::string>()> unusable;
  std::function<void(const AccessRecord&)>
      on_served;  // every request, by route pattern; may be empty
};

class HttpServer {
 public:
  HttpServer(Options options, KeyRing keys, jobs::Service& service, const Clock& clock, Log& log,
             Callbacks callbacks);
  ~HttpServer();  // stop() without patience

  // Returns when the port is open. Once in an object's life. Errors: kInvalid, kIo.
  Status start();
  std::uint16_t port() const;
  // Requests whose answer is not complete, streams included.
  int in_flight() const;
  // Who answers, and how busy they are.
  std::vector<jobs::PoolState> pools() const;

  // From now on these are the keys; requests under way go on.
  void replace_keys(KeyRing keys);
  // Keys that the record keeps and that were used since the last call, and when.
  std::map<std::string, WallTime> take_key_uses();

  // /ready says 503, every answer closes its connection, POST is refused, event streams end.
  void begin_drain();
  // Drains, waits up to `patience` for what is in flight, then closes everything and joins all
  // threads. True when nothing had to be cut off.
  bool stop(std::chrono::milliseconds patience);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace pytoon::http
