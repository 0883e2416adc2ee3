// Things the tests of the service need again and again: a clock by hand, a folder, a small spec.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "server/jobs/eraser.h"
#include "server/jobs/job_store.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::testing_support {

// Stands still until told otherwise; sleeping moves it.
class HandClock final : public Clock {
 public:
  WallTime now() const override { return WallTime(std::chrono::milliseconds(now_ms_.load())); }
  SteadyTime steady_now() const override {
    return SteadyTime(std::chrono::milliseconds(now_ms_.load()));
  }
  void sleep_for(std::chrono::milliseconds duration) override { advance(duration); }
  void advance(std::chrono::milliseconds duration) { now_ms_ += duration.count(); }

 private:
  std::atomic<std::int64_t> now_ms_{1'800'000'000'000};
};

class CountingIds final : public IdSource {
 public:
  std::string next() override {
    const std::string digits = std::to_string(++count_);
    return std::string(8 - digits.size(), '0') + digits + "-0000-4000-8000-000000000000";
  }

 private:
  std::atomic<int> count_{0};
};

class CountingGcMetrics final : public jobs::GcMetrics {
 public:
  void gc_deleted(std::string_view kind, std::int64_t count) override {
    deleted[std::string(kind)] += count;
  }
  jobs::DeletedCounts deleted;
};

using support::TemporaryFolder;

inline spec::RenderSpec sample_spec(int segments = 3) {
  spec::RenderSpec spec;
  spec.preset_id = "product_hero_clean";
  spec.target_duration_seconds = segments * 3;
  spec.brand_safe = false;
  spec.style.caption.font = "Inter";
  spec.captions_plan.hook = "Hello";
  spec.captions_plan.timings = {{0, static_cast<double>(segments * 3), "Hello"}};
  for (int i = 0; i < segments; ++i) spec.segments.push_back({i, 3, "prompt"});
  return spec;
}

inline jobs::NewJob sample_job(const std::string& id, const std::string& tenant = "acme",
                               int priority = 5, int segments = 3) {
  jobs::NewJob order;
  order.job.id = id;
  order.job.tenant = tenant;
  order.job.priority = priority;
  order.job.spec = sample_spec(segments);
  for (int i = 0; i < segments; ++i) {
    jobs::Segment segment;
    segment.index = i;
    segment.duration_seconds = 3;
    order.segments.push_back(segment);
  }
  return order;
}

}  // namespace pytoon::testing_support
