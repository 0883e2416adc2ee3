#include "server/observe/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <utility>

#include "base/check.h"
#include "server/observe/gpu_gauges.h"

namespace pytoon::observe {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Registry;

using Buckets = Histogram::BucketBoundaries;

const Buckets& request_seconds() {
  static const Buckets bounds{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10};
  return bounds;
}

const Buckets& work_seconds() {
  static const Buckets bounds{.1, .5, 1, 2, 5, 10, 20, 40, 60, 120, 300, 600};
  return bounds;
}

Family<Counter>& counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Histogram>& histograms(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

Family<Gauge>& gauges(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}

Gauge& gauge(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

std::string label(jobs::TaskKind kind) { return std::string(name_of(kind)); }
// "work" is the label's name in 0.1, for one release.
prometheus::Labels task_labels(jobs::TaskKind kind) {
  return {{"task", label(kind)}, {"work", label(kind)}};
}

std::string label(jobs::WebhookOutcome outcome) {
  switch (outcome) {
    case jobs::WebhookOutcome::kDelivered:
      return "delivered";
    case jobs::WebhookOutcome::kRetry:
      return "retry";
    case jobs::WebhookOutcome::kDeadLetter:
      return "dead_letter";
  }
  CHECK(false, "a WebhookOutcome has no label");
}

std::string label(jobs::admission::ViolationCause cause) {
  return std::string(jobs::admission::name_of(cause));
}

std::string label(spec::Archetype archetype) { return std::string(spec::name_of(archetype)); }

}  // namespace

struct Metrics::Families {
  Registry registry;
  Family<Counter>& jobs =
      counters(registry, "pytoon_render_jobs_total", "Jobs taken, by archetype and preset");
  Family<Counter>& done =
      counters(registry, "pytoon_render_success_total", "Jobs that ended in a video");
  Family<Counter>& failed =
      counters(registry, "pytoon_render_failure_total", "Jobs that failed, and why");
  Family<Counter>& fallbacks =
      counters(registry, "pytoon_fallback_total", "Fallbacks, by the engine fallen to");
  Family<Counter>& degraded = counters(registry, "pytoon_degraded_total",
                                       "Jobs made with another encoder than they could expect");
  Family<Histogram>& segments = histograms(registry, "pytoon_segment_render_seconds",
                                           "Time to render a segment, by engine of footage");
  Family<Counter>& reused = counters(registry, "pytoon_segments_reused_total",
                                     "Segments taken from other jobs instead of drawn");
  Family<Histogram>& totals =
      histograms(registry, "pytoon_job_total_seconds", "From the creation of a job to its video");
  Family<Histogram>& requests = histograms(registry, "pytoon_http_request_seconds",
                                           "Time to answer a request, by route pattern");
  Family<Counter>& plan_requests = counters(registry, "pytoon_plan_requests_total",
                                            "Requests with a key, by its plan and their outcome");
  Family<Counter>& cancelled =
      counters(registry, "pytoon_jobs_cancelled_total", "Jobs that clients cancelled");
  Family<Counter>& retried =
      counters(registry, "pytoon_jobs_retried_total", "Failed jobs that were run again");
  Family<Counter>& reaped = counters(registry, "pytoon_tasks_reaped_total",
                                     "Pieces of work taken from a dead or hung worker");
  Family<Counter>& leases_lost = counters(registry, "pytoon_leases_lost_total",
                                          "Pieces of work this process lost while at them");
  Counter& quarantined = counters(registry, "pytoon_jobs_quarantined_total",
                                  "Jobs that killed their workers and end as a plain card")
                             .Add({});
  Family<Counter>& webhooks =
      counters(registry, "pytoon_webhook_attempts_total", "Webhooks sent, by outcome");
  Family<Counter>& gc_deleted =
      counters(registry, "pytoon_gc_deleted_total",
               "Objects and rows that were deleted, by kind: by age, as orphans, or asked for");
  Family<Counter>& decisions =
      counters(registry, "pytoon_admission_decisions_total",
               "What admission control answered to tasks that need GPU memory, and why");
  Family<Histogram>& admission_waits =
      histograms(registry, "pytoon_admission_wait_seconds",
                 "Time that a task waited for GPU memory or a slot before it ran");
  Family<Counter>& violations = counters(
      registry, "pytoon_admission_violations_total",
      "Times that a card had less free memory than was promised on it, by who took too much");
  Counter& headroom_used = counters(registry, "pytoon_admission_headroom_used_total",
                                    "Times that a card's free memory fell into its headroom")
                               .Add({});
  Counter& reloads = counters(registry, "pytoon_model_reloads_total",
                              "Prompts that had to bring their model to the card")
                         .Add({});
  Family<Gauge>& profile_errors = gauges(
      registry, "pytoon_workflow_profile_error_ratio",
      "Peak of a workflow's last run over the estimate it was promised: above 1 is a breach");
  GpuGauges gpus{registry};
  Gauge& queue_depth = gauge(registry, "pytoon_queue_depth", "Jobs that wait to be started");
  Gauge& queue_age =
      gauge(registry, "pytoon_queue_oldest_seconds", "Age of the job that waits longest");
  Gauge& open_segments =
      gauge(registry, "pytoon_queue_segments", "Segments of live jobs that are not drawn yet");
  Gauge& queue_work = gauge(registry, "pytoon_queue_work_seconds",
                            "Time that one thread would need for them, by the pace of late");
  Gauge& unusable = gauge(registry, "pytoon_process_unusable",
                          "1 once this process must be started anew: its device is lost, its "
                          "threads hang");
  Gauge& threads = gauge(registry, "pytoon_worker_threads", "Drawing threads of all live workers");
  Family<Gauge>& pool_threads =
      gauges(registry, "pytoon_pool_threads", "Threads of this process, by what they are for");
  Family<Gauge>& pool_busy =
      gauges(registry, "pytoon_pool_busy", "Of them, those that are at work");
  Family<Gauge>& pool_queued =
      gauges(registry, "pytoon_pool_queue_length", "What waits in this process for such a thread");
  Family<Gauge>& pool_lost =
      gauges(registry, "pytoon_pool_lost_threads", "Threads that hang and were replaced");
  Family<Counter>& decoder_deaths =
      counters(registry, "pytoon_decoder_deaths_total",
               "Confined decoders that died, by what they did and of what");
};

// What is counted elsewhere is brought up to date when somebody looks.
struct Metrics::Notifier {
  Notifier(Registry& registry, std::function<NotifierInfo()> source)
      : ask(std::move(source)),
        up(prometheus::BuildGauge()
               .Name("pytoon_redis_up")
               .Help("Whether the connection to Redis works, by what it is for")
               .Register(registry)),
        connects(counters(registry, "pytoon_redis_connects_total",
                          "Times Redis was reached after it was missing, the first included")),
        failures(counters(registry, "pytoon_redis_failures_total",
                          "Times the connection broke or Redis could not be reached")),
        wakeups(counters(registry, "pytoon_redis_wakeups_sent_total",
                         "Wake-ups sent, by whether Redis could be told")),
        received(counters(registry, "pytoon_redis_wakeups_received_total",
                          "Entries of the wake-up channel that woke this process")
                     .Add({})),
        rings(counters(registry, "pytoon_redis_rings_total",
                       "pytoon_redis_wakeups_sent_total by its old name, for one release")),
        heard(counters(registry, "pytoon_redis_heard_total",
                       "pytoon_redis_wakeups_received_total by its old name, for one release")
                  .Add({})) {}

  void look() {
    const NotifierInfo facts = ask();
    const std::lock_guard lock(mutex);
    for (const LinkFacts& link : facts.links) {
      up.Add({{"link", link.link}}).Set(link.connected ? 1 : 0);
      raise(connects.Add({{"link", link.link}}), link.connects);
      raise(failures.Add({{"link", link.link}}), link.failures);
    }
    for (Family<Counter>* const sent : {&wakeups, &rings}) {
      raise(sent->Add({{"outcome", "sent"}}), facts.sent);
      raise(sent->Add({{"outcome", "dropped"}}), facts.dropped);
    }
    for (Counter* const woken : {&received, &heard}) raise(*woken, facts.received);
  }
  static void raise(Counter& counter, std::int64_t to) {
    const double more = static_cast<double>(to) - counter.Value();
    if (more > 0) counter.Increment(more);
  }

  const std::function<NotifierInfo()> ask;
  Family<Gauge>& up;
  Family<Counter>& connects;
  Family<Counter>& failures;
  Family<Counter>& wakeups;
  Counter& received;
  Family<Counter>& rings;
  Counter& heard;
  std::mutex mutex;  // two who look at once must not count the same twice
};

Metrics::Metrics(jobs::JobStore& store) : store_(store), families_(std::make_unique<Families>()) {
  // There from the start, so that a rate over them begins at zero.
  for (const auto archetype : spec::all_names<spec::Archetype>()) {
    families_->done.Add({{"archetype", std::string(archetype)}});
    families_->totals.Add({{"archetype", std::string(archetype)}}, work_seconds());
    families_->cancelled.Add({{"archetype", std::string(archetype)}});
    families_->retried.Add({{"archetype", std::string(archetype)}});
  }
  for (const auto kind :
       {jobs::TaskKind::kPrepare, jobs::TaskKind::kFootage, jobs::TaskKind::kAudio,
        jobs::TaskKind::kRender, jobs::TaskKind::kFinish}) {
    families_->reaped.Add(task_labels(kind));
    families_->leases_lost.Add(task_labels(kind));
  }
  families_->reused.Add({});
  for (const auto outcome : {jobs::WebhookOutcome::kDelivered, jobs::WebhookOutcome::kRetry,
                             jobs::WebhookOutcome::kDeadLetter}) {
    families_->webhooks.Add({{"outcome", label(outcome)}});
  }
  for (const char* kind :
       {"segment", "footage", "audio", "upload", "job_file", "asset", "job", "expired_job",
        "idempotency_record", "event", "dead_letter", "purchase", "abandoned_upload"}) {
    families_->gc_deleted.Add({{"kind", kind}});
  }
  for (const auto cause :
       {jobs::admission::ViolationCause::kOurs, jobs::admission::ViolationCause::kForeign}) {
    families_->violations.Add({{"cause", label(cause)}});
  }
  for (const auto lane : {jobs::admission::Lane::kRender, jobs::admission::Lane::kGenerate}) {
    families_->admission_waits.Add({{"lane", std::string(name_of(lane))}}, work_seconds());
  }
  families_->fallbacks.Add({{"type", "template"}});
  families_->degraded.Add({{"from", "h264_nvenc"}, {"to", "libx264"}});
}

Metrics::~Metrics() = default;

void Metrics::job_created(spec::Archetype archetype, const std::string& preset) {
  families_->jobs.Add({{"archetype", label(archetype)}, {"preset", preset}}).Increment();
}

void Metrics::job_done(spec::Archetype archetype, double seconds_since_created) {
  families_->done.Add({{"archetype", label(archetype)}}).Increment();
  families_->totals.Add({{"archetype", label(archetype)}}, work_seconds())
      .Observe(seconds_since_created);
}

void Metrics::job_failed(spec::Archetype archetype, const std::string& reason) {
  families_->failed.Add({{"archetype", label(archetype)}, {"reason", reason}}).Increment();
}

void Metrics::segment_rendered(const std::string& engine, double seconds) {
  families_->segments.Add({{"engine", engine}}, work_seconds()).Observe(seconds);
}

void Metrics::segment_reused() { families_->reused.Add({}).Increment(); }

void Metrics::fallback_used(const std::string& type) {
  families_->fallbacks.Add({{"type", type}}).Increment();
}

void Metrics::degraded(const std::string& from, const std::string& to) {
  families_->degraded.Add({{"from", from}, {"to", to}}).Increment();
}

void Metrics::http_request(const std::string& method, const std::string& route, int status,
                           double seconds) {
  families_->requests
      .Add({{"method", method}, {"route", route}, {"status", std::to_string(status)}},
           request_seconds())
      .Observe(seconds);
}

void Metrics::plan_request(const std::string& plan, int status) {
  constexpr int kTooMany = 429;
  const char* const outcome = status == kTooMany ? "limited"
                              : status >= 500    ? "failed"
                              : status >= 400    ? "refused"
                                                 : "answered";
  families_->plan_requests.Add({{"plan", plan}, {"outcome", outcome}}).Increment();
}

void Metrics::job_cancelled(spec::Archetype archetype) {
  families_->cancelled.Add({{"archetype", label(archetype)}}).Increment();
}

void Metrics::job_retried(spec::Archetype archetype) {
  families_->retried.Add({{"archetype", label(archetype)}}).Increment();
}

void Metrics::task_reaped(jobs::TaskKind kind) {
  families_->reaped.Add(task_labels(kind)).Increment();
}

void Metrics::lease_lost(jobs::TaskKind kind) {
  families_->leases_lost.Add(task_labels(kind)).Increment();
}

void Metrics::job_quarantined() { families_->quarantined.Increment(); }

void Metrics::webhook_tried(jobs::WebhookOutcome outcome) {
  families_->webhooks.Add({{"outcome", label(outcome)}}).Increment();
}

void Metrics::admission_decided(jobs::admission::Lane lane,
                                jobs::admission::Decision::Kind decision,
                                jobs::admission::Reason reason) {
  families_->decisions
      .Add({{"lane", std::string(name_of(lane))},
            {"decision", std::string(name_of(decision))},
            {"reason", std::string(name_of(reason))}})
      .Increment();
}

void Metrics::admission_waited(jobs::admission::Lane lane, double seconds) {
  families_->admission_waits.Add({{"lane", std::string(name_of(lane))}}, work_seconds())
      .Observe(seconds);
}

void Metrics::admission_violation(jobs::admission::ViolationCause cause) {
  families_->violations.Add({{"cause", label(cause)}}).Increment();
}

void Metrics::headroom_used() { families_->headroom_used.Increment(); }

void Metrics::gpus_sampled(const std::vector<jobs::admission::GpuUse>& gpus) {
  families_->gpus.set(gpus);
}

void Metrics::model_reloaded() { families_->reloads.Increment(); }

void Metrics::profile_error(const std::string& workflow, double ratio) {
  families_->profile_errors.Add({{"workflow", workflow}}).Set(ratio);
}

void Metrics::gc_deleted(std::string_view kind, std::int64_t count) {
  families_->gc_deleted.Add({{"kind", std::string(kind)}}).Increment(static_cast<double>(count));
}

void Metrics::watch_notifier(std::function<NotifierInfo()> ask) {
  notifier_ = std::make_unique<Notifier>(families_->registry, std::move(ask));
}

void Metrics::ask_store() {
  const Result<jobs::Backlog> backlog = store_.backlog();
  if (!backlog) return;
  const auto segments = static_cast<double>(backlog->open_segments);
  families_->queue_depth.Set(static_cast<double>(backlog->queued_jobs));
  families_->queue_age.Set(backlog->oldest_queued_seconds);
  families_->open_segments.Set(segments);
  families_->queue_work.Set(segments * backlog->seconds_per_segment);
  families_->threads.Set(backlog->threads);
}

void Metrics::watch_pools(std::function<std::vector<jobs::PoolState>()> ask) {
  pools_.push_back(std::move(ask));
}

void Metrics::ask_pools() {
  for (const auto& ask : pools_) {
    for (const jobs::PoolState& pool : ask()) {
      const prometheus::Labels labels{{"pool", pool.name}};
      families_->pool_threads.Add(labels).Set(pool.threads);
      families_->pool_busy.Add(labels).Set(pool.busy);
      families_->pool_queued.Add(labels).Set(pool.queued);
      families_->pool_lost.Add(labels).Set(pool.lost);
    }
  }
}

void Metrics::watch_decoders(std::function<std::vector<media::DecoderDeaths>()> ask) {
  decoders_ = std::move(ask);
}

void Metrics::ask_decoders() {
  if (!decoders_) return;
  for (const media::DecoderDeaths& deaths : decoders_()) {
    Counter& counted =
        families_->decoder_deaths.Add({{"kind", deaths.task}, {"reason", deaths.reason}});
    const double more = static_cast<double>(deaths.count) - counted.Value();
    if (more > 0) counted.Increment(more);
  }
}

std::string Metrics::text() {
  ask_store();
  ask_pools();
  ask_decoders();
  if (notifier_) notifier_->look();
  families_->unusable.Set(process_ != nullptr && !process_->usable() ? 1 : 0);
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace pytoon::observe
