// The service, its workers and what they stand on, put together: the only place that knows how the
// parts of a running Pytoon are connected. A role says which of them run.
//
// Thread rule: constructed, started and stopped by one thread; service() is for any thread.
#pragma once

#include <memory>
#include <vector>

#include "base/curl_client.h"
#include "base/ids.h"
#include "engines/engine_registry.h"
#include "server/app/config.h"
#include "server/app/open_gpu_admission.h"
#include "server/app/periodic_task.h"
#include "server/app/render_stack.h"
#include "server/io/redis/redis_listener.h"
#include "server/io/redis/redis_notifier.h"
#include "server/io/sql_store.h"
#include "server/jobs/garbage_collector.h"
#include "server/jobs/job_service.h"
#include "server/jobs/process_health.h"
#include "server/jobs/webhook_sender.h"
#include "server/observe/health.h"
#include "server/observe/metrics.h"
#include "server/observe/span_exporter.h"
#include "server/worker/frame_preview.h"
#include "server/worker/orphaned_prompts.h"
#include "server/worker/worker_pool.h"

namespace pytoon::app {

enum class Role {
  kServe,   // all of it, on a store of its own
  kApi,     // takes jobs, tells ends, collects garbage; draws nothing
  kWorker,  // draws
  kRender,  // draws what this process itself asks for
};

// Uploads, and the files of a local request, inspected behind the door that all files come through.
class Inspector final : public jobs::MediaInspector {
 public:
  // decoder must outlive it.
  explicit Inspector(media::FileDecoder& decoder) : decoder_(decoder) {}

  Result<media::MediaInfo> inspect_image(const std::filesystem::path& file) override;
  Result<media::MediaInfo> inspect_clip(const std::filesystem::path& file) override;
  Result<media::MediaInfo> inspect_audio(const std::filesystem::path& file) override;

 private:
  media::FileDecoder& decoder_;
};

// Wakes our own workers, and those of other processes when there is a Redis.
class Notifiers final : public jobs::WorkNotifier {
 public:
  Notifiers(jobs::WorkNotifier& own, jobs::WorkNotifier* others) : own_(own), others_(others) {}
  void notify() override {
    own_.notify();
    if (others_ != nullptr) others_->notify();
  }

 private:
  jobs::WorkNotifier& own_;
  jobs::WorkNotifier* const others_;
};

class Application {
 public:
  // config, render stack, clock and log must outlive the application.
  Application(Role role, const Config& config, RenderStack& stack,
              std::unique_ptr<io::SqlStore> store, std::unique_ptr<jobs::ObjectStore> storage,
              std::unique_ptr<engines::EngineRegistry> engines, Clock& clock, Log& log);
  ~Application();  // stop()

  jobs::JobService& service() { return service_; }
  jobs::ObjectStore& storage() { return *storage_; }
  engines::EngineRegistry& engines() { return *engines_; }
  observe::Metrics& metrics() { return metrics_; }
  jobs::ProcessHealth& process_health() { return process_health_; }
  observe::Health& health() { return health_; }

  // Starts what the role runs.
  Status start();
  // Running work is put down and handed back, webhooks under way are cut off; nothing is lost and
  // no attempt is spent.
  void stop();

 private:
  bool draws() const { return role_ != Role::kApi; }
  // Hears Redis where something is drawn, and tells readiness and metrics of it.
  void listen(const Config& config, Clock& clock);
  observe::NotifierInfo notifier_info() const;
  // Tells ends to webhooks and collects garbage.
  bool tells_and_collects() const { return role_ == Role::kServe || role_ == Role::kApi; }
  // From now on until stop(), on a thread of its own.
  void repeat(std::chrono::milliseconds pause, std::function<bool()> step);

  const Role role_;
  Log& log_;
  RandomIds ids_;
  std::unique_ptr<io::SqlStore> store_;
  std::unique_ptr<jobs::ObjectStore> storage_;
  Inspector inspector_;
  jobs::ProcessHealth process_health_;
  observe::Metrics metrics_;
  observe::Health health_;
  std::unique_ptr<engines::EngineRegistry> engines_;
  const jobs::WorkerInfo facts_;
  CurlClient collector_;
  const std::unique_ptr<observe::SpanExporter> spans_;         // null where nobody asks for them
  const std::unique_ptr<worker::GpuAdmission> gpu_admission_;  // null where there is no card
  worker::Worker worker_;
  worker::OrphanedPrompts orphaned_prompts_;
  const std::unique_ptr<io::RedisNotifier> redis_notifier_;  // null without REDIS_URL
  worker::WorkerPool pool_;
  std::unique_ptr<io::RedisListener> redis_listener_;  // null where nothing is drawn
  Notifiers notifiers_;
  CurlClient web_;
  jobs::WebhookSender sender_;
  jobs::Eraser eraser_;
  jobs::GarbageCollector gc_;
  worker::FramePreview previewer_;
  jobs::JobService service_;
  std::vector<std::unique_ptr<PeriodicTask>> periodic_tasks_;
  std::unique_ptr<PeriodicTask> span_task_;
  bool working_ = false;
};

}  // namespace pytoon::app
