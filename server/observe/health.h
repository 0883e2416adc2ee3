// Can the service do its work? Asked by GET /ready and before a job is taken.
//
// What blocks is asked by one thread, look(), and kept: readiness() says at once what was found
// last. When that is older than kStale the answer names what is being asked, which hangs.
//
// Thread rule: add_helper() before any other thread knows the object; look() by one thread at a
// time; the rest from any. look() and draining() block on the database and the disk, for
// milliseconds or for their time limits.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "server/jobs/ports.h"
#include "server/jobs/process_health.h"
#include "server/jobs/worker_registry.h"

namespace pytoon::observe {

class Health final : public jobs::HealthSource {
 public:
  // All must outlive it.
  Health(jobs::JobStore& store, jobs::WorkerRegistry& registry, jobs::ObjectStore& storage,
         const jobs::ProcessHealth& process, const Clock& clock)
      : store_(store), registry_(registry), storage_(storage), process_(process), clock_(clock) {}

  static constexpr std::chrono::seconds kStale{3};

  // Something that is missed but not needed, such as "redis": readiness is then degraded by its
  // name. works() is asked at each look.
  void add_helper(std::string name, std::function<bool()> works) {
    helpers_.emplace_back(std::move(name), std::move(works));
  }

  void look();
  // Blocking: "database" (can't be read or written), "storage" (can't be written, or too little
  // space), "draining", "process" (process_health.h). Never waits for any of them.
  jobs::Service::Readiness readiness() override;
  // This process is leaving or must be started anew, or the whole fleet drains.
  bool draining() const override;
  void set_leaving() { leaving_ = true; }

 private:
  bool fleet_drains() const;

  jobs::JobStore& store_;
  jobs::WorkerRegistry& registry_;
  jobs::ObjectStore& storage_;
  const jobs::ProcessHealth& process_;
  const Clock& clock_;
  std::vector<std::pair<std::string, std::function<bool()>>> helpers_;
  std::atomic<bool> leaving_{false};
  std::atomic<const char*> asking_{""};  // what look() waits for
  std::mutex mutex_;
  jobs::Service::Readiness found_;  // guarded by mutex_
  SteadyTime found_at_;             // guarded by mutex_
};

}  // namespace pytoon::observe
