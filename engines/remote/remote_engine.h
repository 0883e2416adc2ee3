// Footage from a remote HTTP engine: upload, submit, poll, download, as its provider's mapping
// says. Paid work is ordered at most once for each job, run and segment: a crash, a restart or a
// retry goes on with what was ordered (spend_ledger.h). While the ledger is away it is waited for.
//
// Where it connects: the base URL's own origin, and for downloads whatever public address a link
// names. Private addresses only when the operator wrote one as the base URL, or said
// private_network; links in answers may lead to private addresses only on that same origin.
//
// Cancelled by the watch it stops asking and leaves the order standing, so that a job that is taken
// up again goes on with it. Out of time, or when the watch says that nobody will ask again, it
// cancels the order at the provider; where that can't be done the log says that it may be billed.
//
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/backoff.h"
#include "base/http_client.h"
#include "base/log.h"
#include "engines/engine.h"
#include "engines/remote/provider.h"
#include "engines/remote/spend_ledger.h"

namespace pytoon::engines {

struct RemoteSettings {
  std::string name = "api";  // as presets call it
  std::string base_url;
  std::string key;  // never logged
  bool private_network = false;
  Provider provider;
  int slots = 4;                              // orders at once of one process
  std::chrono::milliseconds request{30'000};  // one exchange
  BackoffLimits backoff{std::chrono::milliseconds(1000), std::chrono::milliseconds(30'000)};
  std::chrono::seconds stall{15};  // a download below 10 kB/s for so long is given up
  std::int64_t clip_bytes_max = 300'000'000;
};

// All must outlive the engine.
struct RemoteParts {
  HttpClient& http;
  Clock& clock;
  SpendLedger& ledger;
  const ClipVerifier& verify;
  Log& log;
  SpendCaps caps;
};

class RemoteEngine final : public Engine {
 public:
  // kInvalid when the base URL can't be used.
  static Result<std::unique_ptr<RemoteEngine>> make(RemoteSettings settings, RemoteParts parts);

  std::string_view name() const override { return settings_.name; }
  bool remote() const override { return true; }
  Capabilities capabilities() const override;
  Result<Quote> quote(const FootageRequest& request) const override;
  Status health(const Watch& watch) override;
  Result<plan::SegmentSource> generate(const FootageRequest& request, const Watch& watch) override;

 private:
  struct Order {
    const FootageRequest& request;
    const Watch& watch;
    std::string key;  // of the purchase
    Json values;      // of the slots
  };

  RemoteEngine(RemoteSettings settings, RemoteParts parts, WebAddress base);

  // remote_engine.cpp: the story of one order
  Result<std::string> order(Order& order, const Purchase& purchase);
  Result<Json> wait_until_done(const Order& order);
  Result<plan::SegmentSource> fetch(const Order& order, Json answer);
  Status end(const Order& order, bool cancel_remote);
  void call_off(const Order& order);
  void tell_not_cancelled(const Order& order, const std::string& reason);
  Status note(const Watch& watch, const std::function<Status()>& write);
  Json values_for(const FootageRequest& request, const std::string& key) const;

  // remote_calls.cpp: single exchanges
  Result<HttpRequest> prepare(const Provider::Call& call, const Json& values,
                              const Watch& watch) const;
  Status give_image(Order& order);
  Result<std::string> submit(const Order& order, bool& surely_unpaid);
  Result<HttpAnswer> ask(const Provider::Call& call, const Order& order);
  Result<std::string> video_link(const Order& order, const Json& answer) const;
  Status download(const std::string& link, const Order& order);

  const RemoteSettings settings_;
  const RemoteParts parts_;
  const WebAddress base_;
  const EgressScope egress_;
};

// A short, printable beginning of what a server said, for a reason.
std::string excerpt_of(const std::string& text);
// The text at a JSON pointer, numbers written out; "" when there is none.
std::string text_at(const Json& json, const std::string& pointer);

}  // namespace pytoon::engines
