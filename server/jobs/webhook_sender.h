// Tells receivers that a job has ended: leases events from the outbox, posts them signed, and puts
// off what was not taken. At least once: a receiver may see an id twice, never a different body
// under it.
//
// Taken is an answer of 2xx within the time limit. 410 gives up at once. Everything else (another
// status, a redirect, no answer, an address that may not be reached) is tried again by the
// schedule, less up to a tenth so that a crowd spreads, or when Retry-After says, at most an hour
// later. After the last attempt the event is a dead letter with its cause.
//
// Thread rule: step() from any number of threads at a time; each blocks for as long as the receiver
// takes, at most the limit. stop() from any.
#pragma once

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/http_client.h"
#include "base/log.h"
#include "server/jobs/outbox.h"
#include "server/jobs/ports.h"

namespace pytoon::jobs {

using RetrySchedule = std::vector<std::chrono::milliseconds>;

// After 5 s, 30 s, 2 min, 5 min, then every 10 min for two hours, then every hour: about a day, and
// a receiver that was away for an hour is told within 10 min of its return.
RetrySchedule webhook_schedule();

struct WebhookOptions {
  std::vector<std::string> keys;  // webhook_keys(); the first is the present one
  EgressScope egress = EgressScope::kPublic;
  std::chrono::milliseconds limit{15'000};  // for the whole exchange
  RetrySchedule schedule = webhook_schedule();
  int at_once_of_tenant = 2;  // so that receivers that hang delay their own tenant only
};

// How long after attempt number `attempt` (from 1) the next one comes. nullopt: there is none.
std::optional<std::chrono::milliseconds> webhook_delay(
    const RetrySchedule& schedule, const std::string& event_id, int attempt,
    std::optional<std::chrono::seconds> retry_after);

class WebhookSender {
 public:
  // All references must outlive it.
  WebhookSender(Outbox& outbox, HttpClient& client, JobMetrics& metrics, const Clock& clock,
                Log& log, WebhookOptions options);

  // Sends one event that is due. False: there was none, or somebody else is looking for one.
  bool step();
  // What is being sent is cut off and put off, with no attempt judged; step() does nothing more.
  void stop() { cancel_.cancel(); }

 private:
  struct Outcome {
    bool taken = false;
    bool gone = false;
    std::string reason;  // for the log
    std::string told;    // the same for whoever's job it is: names no address of our network
    std::optional<std::chrono::seconds> retry_after;
  };
  // Of a tenant that is not busy. It counts as being sent until sent() is called.
  Result<std::optional<Event>> take();
  std::vector<std::string> busy_tenants() const;
  void sent(const Event& event);
  Outcome send(const Event& event);
  void settle(const Event& event, const Outcome& outcome);

  Outbox& outbox_;
  HttpClient& client_;
  JobMetrics& metrics_;
  const Clock& clock_;
  Log& log_;
  const WebhookOptions options_;
  const CancelToken cancel_;
  std::atomic<bool> taking_{false};
  mutable std::mutex mutex_;
  std::map<std::string, int> sending_;  // by tenant; guarded by mutex_
};

}  // namespace pytoon::jobs
