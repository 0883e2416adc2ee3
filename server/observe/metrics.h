// What operators watch, as Prometheus text. One object per process; others see it only through the
// narrow interface they need.
//
// Labels are closed sets: route patterns, engine and preset names, reasons that are failure labels.
// Never a job id, a tenant or a raw path.
//
// Thread rule: any thread. Counting takes well under a microsecond; text() takes milliseconds and
// asks the store for the queue.
// Source of the text: prometheus.io/docs/instrumenting/exposition_formats, by prometheus-cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/media/decoder/file_decoder.h"
#include "server/jobs/eraser.h"
#include "server/jobs/pool_state.h"
#include "server/jobs/ports.h"
#include "server/jobs/process_health.h"

namespace pytoon::observe {

// One connection of this process to Redis, since its start.
struct LinkFacts {
  std::string link;  // "notifier", "listener"
  bool connected = false;
  std::int64_t connects = 0;
  std::int64_t failures = 0;
};

// The wake-up channel as this process knows it, since its start.
struct NotifierInfo {
  std::vector<LinkFacts> links;
  std::int64_t sent = 0;      // wake-ups that Redis was told of
  std::int64_t dropped = 0;   // wake-ups that it could not be told of
  std::int64_t received = 0;  // entries that woke this process
};

class Metrics final : public jobs::JobMetrics, public jobs::GcMetrics {
 public:
  explicit Metrics(jobs::JobStore& store);
  ~Metrics() override;

  void job_created(spec::Archetype archetype, const std::string& preset) override;
  void job_done(spec::Archetype archetype, double seconds_since_created) override;
  void job_failed(spec::Archetype archetype, const std::string& reason) override;
  void segment_rendered(const std::string& engine, double seconds) override;
  void segment_reused() override;
  void fallback_used(const std::string& type) override;
  void degraded(const std::string& from, const std::string& to) override;
  void job_cancelled(spec::Archetype archetype) override;
  void job_retried(spec::Archetype archetype) override;
  void task_reaped(jobs::TaskKind kind) override;
  void lease_lost(jobs::TaskKind kind) override;
  void job_quarantined() override;
  void webhook_tried(jobs::WebhookOutcome outcome) override;
  void admission_decided(jobs::admission::Lane lane, jobs::admission::Decision::Kind decision,
                         jobs::admission::Reason reason) override;
  void admission_waited(jobs::admission::Lane lane, double seconds) override;
  void admission_violation(jobs::admission::ViolationCause cause) override;
  void headroom_used() override;
  void gpus_sampled(const std::vector<jobs::admission::GpuUse>& gpus) override;
  void model_reloaded() override;
  void profile_error(const std::string& workflow, double ratio) override;
  void gc_deleted(std::string_view kind, std::int64_t count) override;

  // route: the pattern ("/api/v1/jobs/{id}"), never the path that was asked for.
  void http_request(const std::string& method, const std::string& route, int status,
                    double seconds);

  // A request with a key of this plan, by what became of it.
  void plan_request(const std::string& plan, int status);

  // Where there is a Redis: asked for each text(). Before any other thread knows the object.
  void watch_notifier(std::function<NotifierInfo()> ask);

  // Asked for each text(). Before any other thread knows the object; must outlive it.
  void watch_process(const jobs::ProcessHealth& process) { process_ = &process; }
  // Pools of threads of this process: asked for each text(). Several sources add up. Before any
  // other thread asks for the text.
  void watch_pools(std::function<std::vector<jobs::PoolState>()> ask);
  // Decoders of files that died: asked for each text(). Before any other thread asks for the text.
  void watch_decoders(std::function<std::vector<media::DecoderDeaths>()> ask);

  // The body of GET /metrics. What the store says keeps its last value while it can't be asked.
  std::string text();

 private:
  struct Families;
  struct Notifier;
  void ask_store();
  void ask_pools();
  void ask_decoders();

  jobs::JobStore& store_;
  const jobs::ProcessHealth* process_ = nullptr;  // null: nobody can mark it
  std::unique_ptr<Families> families_;
  std::unique_ptr<Notifier> notifier_;  // null without Redis
  std::vector<std::function<std::vector<jobs::PoolState>()>> pools_;
  std::function<std::vector<media::DecoderDeaths>()> decoders_;  // empty: nobody decodes
};

}  // namespace pytoon::observe
