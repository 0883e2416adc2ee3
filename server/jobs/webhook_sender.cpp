#include "server/jobs/webhook_sender.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/backoff.h"
#include "server/jobs/job_trace.h"
#include "server/jobs/webhook_signature.h"

namespace pytoon::jobs {
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr hours kRetryAfterMax{1};
constexpr seconds kLeaseMargin{30};  // for the record, beyond the exchange itself
constexpr int kJitterDivisor = 10;
constexpr std::int64_t kAnswerBytesMax = 64 * 1024;

HttpRequest request_of(const Event& event, const WebhookOptions& options, std::int64_t timestamp) {
  HttpRequest request;
  request.method = "POST";
  request.url = event.url;
  request.headers = {
      {"Content-Type", "application/json"},
      {"User-Agent", "pytoon-webhooks"},
      {"traceparent", event.traceparent},
      {"webhook-id", event.id},
      {"webhook-timestamp", std::to_string(timestamp)},
      {"webhook-signature", webhook_signature(options.keys, event.id, timestamp, event.body)}};
  request.body = event.body;
  request.egress = options.egress;
  request.limits.total = options.limit;
  request.limits.connect = std::min<milliseconds>(options.limit, request.limits.connect);
  request.limits.answer_bytes = kAnswerBytesMax;
  request.limits.redirects = 0;
  return request;
}

}  // namespace

RetrySchedule webhook_schedule() {
  RetrySchedule schedule{seconds(5), seconds(30), minutes(2), minutes(5)};
  schedule.insert(schedule.end(), 12, minutes(10));
  schedule.insert(schedule.end(), 22, hours(1));
  return schedule;
}

std::optional<milliseconds> webhook_delay(const RetrySchedule& schedule,
                                          const std::string& event_id, int attempt,
                                          std::optional<seconds> retry_after) {
  const auto index = static_cast<std::size_t>(std::max(attempt, 1) - 1);
  if (index >= schedule.size()) return std::nullopt;
  const milliseconds planned = jittered(schedule[index], kJitterDivisor,
                                        seed_from(event_id + "/" + std::to_string(attempt)));
  const milliseconds asked =
      std::min<milliseconds>(retry_after.value_or(seconds(0)), kRetryAfterMax);
  return std::max(planned, asked);
}

WebhookSender::WebhookSender(Outbox& outbox, HttpClient& client, JobMetrics& metrics,
                             const Clock& clock, Log& log, WebhookOptions options)
    : outbox_(outbox),
      client_(client),
      metrics_(metrics),
      clock_(clock),
      log_(log),
      options_(std::move(options)) {}

bool WebhookSender::step() {
  if (cancel_.cancelled()) return false;
  const Result<std::optional<Event>> event = take();
  if (!event) {
    log_.warning("webhooks_wait", {{"reason", event.failure().detail}});
    return false;
  }
  if (!*event) return false;
  const Outcome outcome = send(**event);
  sent(**event);
  settle(**event, outcome);
  return true;
}

// One caller at a time asks the outbox, so that no two take a tenant's last place together.
Result<std::optional<Event>> WebhookSender::take() {
  if (taking_.exchange(true)) return std::optional<Event>();
  EventRequest request{1, options_.limit + kLeaseMargin, busy_tenants()};
  Result<std::vector<Event>> events = outbox_.take_events(request);
  std::optional<Event> event;
  if (events && !events->empty()) {
    event = std::move(events->front());
    const std::lock_guard lock(mutex_);
    ++sending_[event->tenant];
  }
  taking_ = false;
  if (!events) return events.failure();
  return event;
}

std::vector<std::string> WebhookSender::busy_tenants() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> busy;
  for (const auto& [tenant, count] : sending_) {
    if (count >= options_.at_once_of_tenant) busy.push_back(tenant);
  }
  return busy;
}

void WebhookSender::sent(const Event& event) {
  const std::lock_guard lock(mutex_);
  if (--sending_[event.tenant] == 0) sending_.erase(event.tenant);
}

WebhookSender::Outcome WebhookSender::send(const Event& event) {
  const auto timestamp =
      std::chrono::duration_cast<seconds>(clock_.now().time_since_epoch()).count();
  const Result<HttpAnswer> answer = client_.send(request_of(event, options_, timestamp), cancel_);
  Outcome outcome;
  if (!answer) {
    outcome.reason = answer.failure().detail;
    const bool refused = answer.failure().kind == FailureKind::kInvalid;
    outcome.told = refused ? "the receiver's address may not be reached" : outcome.reason;
    return outcome;
  }
  outcome.taken = answer->ok();
  outcome.gone = answer->status == 410;
  outcome.reason = outcome.told = "the receiver answered " + std::to_string(answer->status);
  outcome.retry_after = answer->retry_after();
  return outcome;
}

// When the record can't be written the lease runs out and the event is sent again.
void WebhookSender::settle(const Event& event, const Outcome& outcome) {
  nlohmann::ordered_json fields{{"job_id", event.job_id},
                                {"trace_id", trace_of(event.job_id, event.traceparent).trace_id},
                                {"webhook_id", event.id},
                                {"attempt", event.attempts}};
  if (outcome.taken) {
    (void)outbox_.event_delivered(event);
    metrics_.webhook_tried(WebhookOutcome::kDelivered);
    log_.info("webhook_delivered", fields);
    return;
  }
  if (cancel_.cancelled()) {
    (void)outbox_.event_put_off(event, milliseconds(0), "");
    return;
  }
  fields["reason"] = outcome.reason;
  const auto delay =
      webhook_delay(options_.schedule, event.id, event.attempts, outcome.retry_after);
  if (outcome.gone || !delay) {
    const std::string cause = outcome.gone ? outcome.told
                                           : "all " + std::to_string(event.attempts) +
                                                 " attempts failed: " + outcome.told;
    (void)outbox_.event_given_up(event, cause);
    metrics_.webhook_tried(WebhookOutcome::kDeadLetter);
    log_.error("webhook_dead_lettered", fields);
    return;
  }
  (void)outbox_.event_put_off(event, *delay, outcome.told);
  metrics_.webhook_tried(WebhookOutcome::kRetry);
  fields["again_in_seconds"] = std::chrono::duration<double>(*delay).count();
  log_.warning("webhook_retry_scheduled", fields);
}

}  // namespace pytoon::jobs
