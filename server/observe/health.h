// Can the service do its work? Asked by GET /ready and before a job is taken.
//
// Thread rule: add_helper() before any other thread knows the object; the rest from any thread.
// readiness() and draining() block on the database and the disk for milliseconds.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "server/jobs/ports.h"
#include "server/jobs/process_health.h"
#include "server/jobs/worker_registry.h"

namespace pytoon::observe {

class Health final : public jobs::HealthSource {
 public:
  // All must outlive it.
  Health(jobs::JobStore& store, jobs::WorkerRegistry& registry, jobs::ObjectStore& storage,
         const jobs::ProcessHealth& process)
      : store_(store), registry_(registry), storage_(storage), process_(process) {}

  // Something that is missed but not needed, such as "redis": readiness is then degraded by its
  // name. works() is asked each time; it may block for milliseconds.
  void add_helper(std::string name, std::function<bool()> works) {
    helpers_.emplace_back(std::move(name), std::move(works));
  }

  // Blocking: "database" (can't be read or written), "storage" (can't be written, or too little
  // space), "draining", "process" (process_health.h).
  jobs::Service::Readiness readiness() override;
  // This process is leaving or must be started anew, or the whole fleet drains.
  bool draining() const override;
  void set_leaving() { leaving_ = true; }

 private:
  jobs::JobStore& store_;
  jobs::WorkerRegistry& registry_;
  jobs::ObjectStore& storage_;
  const jobs::ProcessHealth& process_;
  std::vector<std::pair<std::string, std::function<bool()>>> helpers_;
  std::atomic<bool> leaving_{false};
};

}  // namespace pytoon::observe
