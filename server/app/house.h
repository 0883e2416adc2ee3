// The service, its workers and what they stand on, put together: the only place that knows how the
// parts of a running Pytoon are connected. `serve` and `render` differ in the store they hand in.
//
// Thread rule: constructed, started and stopped by one thread; service() is for any thread.
#pragma once

#include <memory>

#include "base/ids.h"
#include "engines/engine_room.h"
#include "server/app/config.h"
#include "server/app/studio.h"
#include "server/io/file_storage.h"
#include "server/jobs/job_service.h"
#include "server/observe/health.h"
#include "server/observe/metrics.h"
#include "server/worker/worker_pool.h"

namespace pytoon::app {

// Decodes uploads with the media rooms.
class Inspector final : public jobs::MediaInspector {
 public:
  Result<jobs::PictureFacts> inspect_picture(const std::filesystem::path& file) override;
  Result<jobs::ClipFacts> inspect_clip(const std::filesystem::path& file) override;
  Result<jobs::AudioFacts> inspect_audio(const std::filesystem::path& file) override;
};

class House {
 public:
  // config, studio, clock and log must outlive the house.
  House(const Config& config, Studio& studio, std::unique_ptr<jobs::JobStore> store,
        std::unique_ptr<io::FileStorage> storage, std::unique_ptr<engines::EngineRoom> engines,
        const Clock& clock, Log& log);

  jobs::JobService& service() { return service_; }
  jobs::ObjectStore& storage() { return *storage_; }
  engines::EngineRoom& engines() { return *engines_; }
  observe::Metrics& metrics() { return metrics_; }
  observe::Health& health() { return health_; }
  worker::WorkerPool& workers() { return workers_; }

 private:
  worker::RunParts run_parts(const Config& config, Studio& studio, const Clock& clock, Log& log);
  static worker::PoolOptions pool_options(const Config& config, IdSource& ids);

  RandomIds ids_;
  std::unique_ptr<jobs::JobStore> store_;
  std::unique_ptr<io::FileStorage> storage_;
  Inspector inspector_;
  observe::Metrics metrics_;
  observe::Health health_;
  std::unique_ptr<engines::EngineRoom> engines_;
  worker::WorkerPool workers_;
  jobs::JobService service_;
};

}  // namespace pytoon::app
