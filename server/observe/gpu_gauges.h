// pytoon_gpu_memory_bytes and pytoon_encoder_sessions: gauges of the cards that this process
// samples. A card that can't be read any more loses its series, so that no old figure looks like a
// new one.
//
// Thread rule: any thread. Microseconds.
#pragma once

#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "server/jobs/admission/gpu_use.h"

namespace pytoon::observe {

class GpuGauges {
 public:
  // The registry must outlive it.
  explicit GpuGauges(prometheus::Registry& registry);

  // All cards that were read at one moment.
  void set(const std::vector<jobs::admission::GpuUse>& gpus);

 private:
  // One family's gauges by GPU and kind.
  struct Table {
    prometheus::Family<prometheus::Gauge>& family;
    std::map<std::pair<std::string, std::string>, prometheus::Gauge*> gauges = {};
    std::map<std::pair<std::string, std::string>, double> next = {};

    void apply();  // what `next` says, and nothing else
  };

  std::mutex mutex_;  // protects what follows
  Table memory_;
  Table sessions_;
};

}  // namespace pytoon::observe
