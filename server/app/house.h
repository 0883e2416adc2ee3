// The service, its workers and what they stand on, put together: the only place that knows how the
// parts of a running Pytoon are connected. A role says which of them run.
//
// Thread rule: constructed, started and stopped by one thread; service() is for any thread.
#pragma once

#include <memory>
#include <vector>

#include "base/curl_client.h"
#include "base/ids.h"
#include "engines/engine_room.h"
#include "server/app/chore.h"
#include "server/app/config.h"
#include "server/app/studio.h"
#include "server/io/redis/redis_bell.h"
#include "server/io/redis/redis_listener.h"
#include "server/io/sql_store.h"
#include "server/jobs/job_service.h"
#include "server/jobs/process_health.h"
#include "server/jobs/sweeper.h"
#include "server/jobs/webhook_sender.h"
#include "server/observe/health.h"
#include "server/observe/metrics.h"
#include "server/worker/worker_pool.h"

namespace pytoon::app {

enum class Role {
  kServe,   // all of it, on a store of its own
  kApi,     // takes jobs, tells ends, sweeps; draws nothing
  kWorker,  // draws
  kRender,  // draws what this process itself asks for
};

// Decodes uploads with the media rooms.
class Inspector final : public jobs::MediaInspector {
 public:
  Result<jobs::PictureFacts> inspect_picture(const std::filesystem::path& file) override;
  Result<jobs::ClipFacts> inspect_clip(const std::filesystem::path& file) override;
  Result<jobs::AudioFacts> inspect_audio(const std::filesystem::path& file) override;
};

// Wakes our own workers, and those of other processes when there is a Redis.
class Bells final : public jobs::Bell {
 public:
  Bells(jobs::Bell& own, jobs::Bell* others) : own_(own), others_(others) {}
  void ring() override {
    own_.ring();
    if (others_ != nullptr) others_->ring();
  }

 private:
  jobs::Bell& own_;
  jobs::Bell* const others_;
};

class House {
 public:
  // config, studio, clock and log must outlive the house.
  House(Role role, const Config& config, Studio& studio, std::unique_ptr<io::SqlStore> store,
        std::unique_ptr<jobs::ObjectStore> storage, std::unique_ptr<engines::EngineRoom> engines,
        Clock& clock, Log& log);
  ~House();  // stop()

  jobs::JobService& service() { return service_; }
  jobs::ObjectStore& storage() { return *storage_; }
  engines::EngineRoom& engines() { return *engines_; }
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
  observe::DoorbellFacts doorbell() const;
  bool keeps_house() const { return role_ == Role::kServe || role_ == Role::kApi; }

  const Role role_;
  Log& log_;
  RandomIds ids_;
  std::unique_ptr<io::SqlStore> store_;
  std::unique_ptr<jobs::ObjectStore> storage_;
  Inspector inspector_;
  jobs::ProcessHealth process_health_;
  observe::Metrics metrics_;
  observe::Health health_;
  std::unique_ptr<engines::EngineRoom> engines_;
  const jobs::WorkerFacts facts_;
  worker::Worker worker_;
  const std::unique_ptr<io::RedisBell> redis_bell_;  // null without REDIS_URL
  worker::WorkerPool pool_;
  std::unique_ptr<io::RedisListener> redis_listener_;  // null where nothing is drawn
  Bells bells_;
  CurlClient web_;
  jobs::WebhookSender sender_;
  jobs::Sweeper sweeper_;
  jobs::JobService service_;
  std::vector<std::unique_ptr<Chore>> chores_;
  bool working_ = false;
};

}  // namespace pytoon::app
