// What a worker needs besides stores and renderer, and what no test looks at twice: metrics that
// only count, an engine chain of the compositor alone, a log into a string.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "base/log.h"
#include "engines/engine_chain.h"
#include "engines/local_compositor.h"
#include "server/io/open_store.h"
#include "server/jobs/process_health.h"
#include "tests/server/jobs/quiet_metrics.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::testing_support {

class RecordingMetrics final : public QuietMetrics {
 public:
  void job_done(spec::Archetype, double) override { ++done; }
  void job_failed(spec::Archetype, const std::string& reason) override { count(failed, reason); }
  void segment_rendered(const std::string& engine, double) override { count(segments, engine); }
  void segment_reused() override { count(segments, "reused"); }
  void fallback_used(const std::string& type) override { count(fallbacks, type); }
  void degraded(const std::string& from, const std::string& to) override {
    count(switches, from + " to " + to);
  }
  void task_reaped(jobs::TaskKind) override { ++reaped; }
  void lease_lost(jobs::TaskKind) override { ++lost; }
  void job_quarantined() override { ++quarantined; }
  void admission_decided(jobs::admission::Lane lane, jobs::admission::Decision::Kind decision,
                         jobs::admission::Reason reason) override {
    using jobs::admission::name_of;
    count(decisions, std::string(name_of(lane)) + " " + std::string(name_of(decision)) + " " +
                         std::string(name_of(reason)));
  }
  void admission_waited(jobs::admission::Lane, double) override { ++waited; }
  void admission_violation(jobs::admission::ViolationCause) override { ++violations; }
  void headroom_used() override { ++headroom_uses; }
  void gpus_sampled(const std::vector<jobs::admission::GpuUse>& gpus) override {
    const std::lock_guard lock(mutex_);
    sampled_ = gpus;
  }
  std::vector<jobs::admission::GpuUse> sampled() {
    const std::lock_guard lock(mutex_);
    return sampled_;
  }
  void model_reloaded() override { ++reloads; }
  void profile_error(const std::string& workflow, double) override { count(profiled, workflow); }

  std::atomic<int> done{0};
  std::atomic<int> reaped{0};
  std::atomic<int> lost{0};
  std::atomic<int> quarantined{0};
  std::atomic<int> waited{0};
  std::atomic<int> violations{0};
  std::atomic<int> headroom_uses{0};
  std::atomic<int> reloads{0};
  // Read when no run is at work.
  std::map<std::string, int> failed;
  std::map<std::string, int> segments;
  std::map<std::string, int> fallbacks;
  std::map<std::string, int> switches;
  std::map<std::string, int> decisions;  // "render wait vram_exhausted"
  std::map<std::string, int> profiled;   // by workflow

 private:
  void count(std::map<std::string, int>& counts, const std::string& label) {
    const std::lock_guard lock(mutex_);
    ++counts[label];
  }

  std::mutex mutex_;
  std::vector<jobs::admission::GpuUse> sampled_;
};

inline std::vector<std::unique_ptr<engines::Engine>> only_the_compositor() {
  std::vector<std::unique_ptr<engines::Engine>> engines;
  engines.push_back(std::make_unique<engines::LocalCompositor>());
  return engines;
}

struct QuietParts {
  QuietParts() {
    presets["product_hero_clean"].engines = {"local_compositor", "local_comfyui", "api"};
  }

  HandClock clock;
  std::ostringstream lines;
  Log log{clock, lines};
  jobs::ProcessHealth process{log};
  engines::EngineChain engine_chain{only_the_compositor(), clock};
  spec::PresetTable presets;
  RecordingMetrics metrics;
  CountingGcMetrics gc_metrics;
};

}  // namespace pytoon::testing_support
