// Between the wire and the handlers: finds the route, asks for the key, the scope and the rate,
// and says what body may come, all from the head alone, before a byte of body is read; later runs
// the handler and turns whatever it gives or throws into an answer.
//
// Thread rule: any thread. check() takes microseconds; answer() as long as the handler.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/log.h"
#include "server/http/address_limiter.h"
#include "server/http/cors.h"
#include "server/http/ip_address.h"
#include "server/http/key_ring.h"
#include "server/http/rate_limiter.h"
#include "server/http/router.h"
#include "server/http/tenant_counts.h"
#include "server/http/upload_refusals.h"
#include "server/jobs/upload_rules.h"

namespace pytoon::http {

struct BodyLimits {
  std::uint64_t json_bytes_max = 1'000'000;
  std::uint64_t json_bytes_held_max = 64'000'000;  // by all requests together
  std::uint64_t json_bytes_held_of_tenant_max = 16'000'000;
  jobs::UploadLimits uploads;  // of the file in the form
  std::filesystem::path spool_folder;
};

// A request on its way: what the head has shown, then the body, then the answer.
struct Admitted {
  const Route* route = nullptr;
  Request request;
  std::uint64_t body_bytes_max = 0;
  std::string boundary;  // kUpload

  // kTooLarge when a body may not have so many bytes.
  Status fits(std::uint64_t body_bytes) const;
};

struct GateResult {
  std::string route = "unmatched";  // pattern, for logs and metrics
  std::string plan;                 // of the key; "" when none was shown that holds
  std::vector<Header> headers;      // for whatever is answered: its rate's rest, CORS
  std::variant<Response, Admitted> outcome;
};

class RequestGate {
 public:
  // failures: how often an address may send a key that is none.
  RequestGate(std::vector<Route> routes, KeyRing keys, jobs::TenantPlans plans, RateLimit failures,
              AddressSet proxies, CorsOrigins cors, BodyLimits limits, const Clock& clock, Log& log,
              const std::atomic<bool>& draining, const Credentials& credentials);

  // peer: the other end of the connection.
  GateResult check(RequestHead head, const std::optional<IpAddress>& peer);
  // From now on these are the keys, each with its full rate.
  void replace_keys(KeyRing keys);
  // By id, of those used since the last call.
  std::map<std::string, WallTime> take_key_uses();
  Response answer(const Admitted& admitted);

  const std::vector<Route>& routes() const { return router_.routes(); }
  const AddressSet& proxies() const { return proxies_; }
  const BodyLimits& limits() const { return limits_; }
  ByteBudget& body_budget() { return body_budget_; }
  ByteBudget& body_budget_of(const std::string& tenant) { return tenant_budgets_.of(tenant); }
  // A place among the tenant's connections; nullopt when its plan gives it no more.
  std::optional<TenantCounts::Slot> connection_of(const jobs::Caller& caller);
  // Logs what the client is not told, and makes the answer.
  Response refuse(const std::string& route, const std::string& trace_id, const Failure& failure);

 private:
  // Keys, and how fast each is used.
  struct Keys {
    Keys(const Clock& clock, const jobs::TenantPlans& plans, KeyRing keys,
         const Credentials& credentials);
    // Of the key that has this tag.
    std::optional<KeyRing::Holder> find_tag(std::string_view tag) const;

    const KeyRing ring;
    RateLimiter limiter;
    std::vector<std::string> tags;  // of the ring's keys, in its order
  };

  std::shared_ptr<Keys> keys() const;
  void note_use(const std::string& key_id);
  // The answer when this address showed too much that was wrong.
  std::optional<Response> too_many_guesses(const RequestHead& head,
                                           const std::optional<IpAddress>& peer);
  Response unauthorized(bool guessed, const RequestHead& head,
                        const std::optional<IpAddress>& peer);
  // Whose key was shown, or stands behind what was shown instead; else the refusal.
  std::variant<KeyRing::Holder, Response> identify(const Keys& now, const RequestHead& head,
                                                   const std::optional<IpAddress>& peer,
                                                   Admitted& admitted);
  std::variant<KeyRing::Holder, Response> identify_link(const Keys& now, const RequestHead& head,
                                                        const std::optional<IpAddress>& peer,
                                                        const Query& query);
  // The request, or its answer where its head is enough for one.
  std::variant<Response, Admitted> judge(RequestHead head, const std::optional<IpAddress>& peer,
                                         GateResult& result);
  std::optional<Response> authorize(const RequestHead& head, const std::optional<IpAddress>& peer,
                                    Admitted& admitted, GateResult& result);
  Response unrouted(const RequestHead& head, const Router::Match& match);
  Status plan_body(const RequestHead& head, Admitted& admitted) const;
  Status take_upload_slot(Admitted& admitted);
  // The answer when too many uploads of this tenant were refused of late.
  std::optional<Response> too_many_refused(const Admitted& admitted);
  void note_refusal(const Admitted& admitted, const Failure& failure);

  const Router router_;
  const Clock& clock_;
  const jobs::TenantPlans plans_;
  TenantCounts uploads_;
  UploadRefusals upload_refusals_;
  TenantCounts connections_;
  mutable std::mutex keys_mutex_;
  std::shared_ptr<Keys> keys_;                // guarded by keys_mutex_
  std::map<std::string, WallTime> key_uses_;  // guarded by keys_mutex_
  AddressLimiter failures_;
  const AddressSet proxies_;
  const CorsOrigins cors_;
  const BodyLimits limits_;
  ByteBudget body_budget_;
  TenantBudgets tenant_budgets_;
  Log& log_;
  const std::atomic<bool>& draining_;
  const Credentials& credentials_;
};

}  // namespace pytoon::http
