// What the tenant of an API key may take of what is for all: limits by plan, from
// config/plans.yaml.
//
// Thread rule: values.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace pytoon::jobs {

struct TenantPlan {
  double requests_per_second = 200;  // of one key, at each API process
  double request_burst = 1000;       // at once, after a rest
  std::int64_t queued_jobs = 1000;
  int weight = 1;  // of its share of the work while others wait too; 1 to 100
  std::int64_t storage_bytes = 100'000'000'000;  // of its uploads
  int uploads_at_once = 16;                      // likewise at each API process
  int refused_uploads_per_minute = 60;           // then it waits; likewise
  int connections = 512;                         // on which one of its keys was shown
};

// By name; there is always one called "default".
class TenantPlans {
 public:
  TenantPlans() { plans_["default"]; }

  // Of a name that is no plan: the default.
  const TenantPlan& of(const std::string& name) const;
  bool has(const std::string& name) const { return plans_.contains(name); }
  TenantPlan& operator[](const std::string& name) { return plans_[name]; }
  const std::map<std::string, TenantPlan>& all() const { return plans_; }

 private:
  std::map<std::string, TenantPlan> plans_;
};

// What a tenant has taken, as the record knows it.
struct TenantUse {
  std::int64_t queued_jobs = 0;
  std::int64_t running_tasks = 0;
  std::int64_t storage_bytes = 0;  // of its uploads
  std::int64_t stored_uploads = 0;
};

// What of the queue is one tenant's.
struct TenantQueue {
  std::string tenant;
  std::int64_t queued_jobs = 0;
  std::int64_t running_jobs = 0;  // live and no longer queued
  std::int64_t open_segments = 0;
  std::int64_t running_tasks = 0;  // that workers hold
  double oldest_queued_seconds = 0;
  int weight = 1;  // of its share of the work
};

}  // namespace pytoon::jobs
