// Metrics that count nothing: what a test looks at it overrides.
#pragma once

#include <string>
#include <vector>

#include "server/jobs/ports.h"

namespace pytoon::testing_support {

class QuietMetrics : public jobs::JobMetrics {
 public:
  void job_created(spec::Archetype, const std::string&) override {}
  void job_done(spec::Archetype, double) override {}
  void job_failed(spec::Archetype, const std::string&) override {}
  void segment_rendered(const std::string&, double) override {}
  void segment_reused() override {}
  void fallback_used(const std::string&) override {}
  void degraded(const std::string&, const std::string&) override {}
  void job_cancelled(spec::Archetype) override {}
  void job_retried(spec::Archetype) override {}
  void task_reaped(jobs::TaskKind) override {}
  void lease_lost(jobs::TaskKind) override {}
  void job_quarantined() override {}
  void webhook_tried(jobs::WebhookOutcome) override {}
  void admission_decided(jobs::admission::Lane, jobs::admission::Decision::Kind,
                         jobs::admission::Reason) override {}
  void admission_waited(jobs::admission::Lane, double) override {}
  void admission_violation(jobs::admission::ViolationCause) override {}
  void headroom_used() override {}
  void gpus_sampled(const std::vector<jobs::admission::GpuUse>&) override {}
  void model_reloaded() override {}
  void profile_error(const std::string&, double) override {}
};

}  // namespace pytoon::testing_support
