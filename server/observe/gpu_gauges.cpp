#include "server/observe/gpu_gauges.h"

namespace pytoon::observe {

using jobs::admission::GpuUse;

GpuGauges::GpuGauges(prometheus::Registry& registry)
    : memory_{prometheus::BuildGauge()
                  .Name("pytoon_gpu_memory_bytes")
                  .Help("Memory of the GPUs that this process samples, by what it is used for")
                  .Register(registry)},
      sessions_{prometheus::BuildGauge()
                    .Name("pytoon_encoder_sessions")
                    .Help("Hardware encoder sessions of a GPU: open now, and allowed at once")
                    .Register(registry)} {}

void GpuGauges::set(const std::vector<GpuUse>& gpus) {
  const std::lock_guard lock(mutex_);
  for (const GpuUse& gpu : gpus) {
    const auto memory = [&](const char* kind, jobs::admission::Bytes bytes) {
      memory_.next[{gpu.gpu, kind}] = static_cast<double>(bytes);
    };
    memory("total", gpu.total);
    memory("free", gpu.free);
    memory("promised", gpu.promised);
    memory("held", gpu.held);
    memory("foreign", gpu.foreign);
    memory("comfyui", gpu.comfyui);
    memory("headroom", gpu.headroom);
    if (gpu.sessions_used) sessions_.next[{gpu.gpu, "used"}] = *gpu.sessions_used;
    if (gpu.sessions_allowed) sessions_.next[{gpu.gpu, "allowed"}] = *gpu.sessions_allowed;
  }
  memory_.apply();
  sessions_.apply();
}

void GpuGauges::Table::apply() {
  for (const auto& [key, value] : next) {
    prometheus::Gauge*& gauge = gauges[key];
    if (gauge == nullptr) gauge = &family.Add({{"gpu", key.first}, {"kind", key.second}});
    gauge->Set(value);
  }
  for (auto known = gauges.begin(); known != gauges.end();) {
    if (next.contains(known->first)) {
      ++known;
    } else {
      family.Remove(known->second);
      known = gauges.erase(known);
    }
  }
  next.clear();
}

}  // namespace pytoon::observe
