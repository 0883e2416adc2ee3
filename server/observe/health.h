// Can the service do its work? Asked by GET /ready and before a job is taken.
//
// Thread rule: any thread. readiness() blocks on the database and the disk for milliseconds.
#pragma once

#include <atomic>

#include "server/jobs/ports.h"

namespace pytoon::observe {

class Health final : public jobs::HealthSource {
 public:
  Health(jobs::JobStore& store, jobs::ObjectStore& storage) : store_(store), storage_(storage) {}

  // Blocking: "database" (can't be read or written), "storage" (can't be written, or too little
  // space), "draining". Nothing degrades yet: there is no Redis.
  jobs::Service::Readiness readiness() override;
  bool draining() const override { return draining_; }
  void set_draining(bool draining) { draining_ = draining; }

 private:
  jobs::JobStore& store_;
  jobs::ObjectStore& storage_;
  std::atomic<bool> draining_{false};
};

}  // namespace pytoon::observe
