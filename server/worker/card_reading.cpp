// What a reading of a card makes of its memory: whose is what.
#include <algorithm>

#include "server/worker/gpu_admission.h"

namespace pytoon::worker {

using jobs::admission::Bytes;
using jobs::admission::EndpointSample;
using jobs::admission::GpuState;
using jobs::admission::HeldMemory;
using jobs::admission::kMiB;
using jobs::admission::ResidentModel;
using jobs::admission::Sample;

namespace {

// What a CUDA context takes, with cuBLAS and cuDNN in ComfyUI's: measured on an H100, rounded up.
constexpr Bytes kOwnContext = 512 * kMiB;
constexpr Bytes kEndpointContext = 768 * kMiB;

Bytes contexts_of(const CardReading& reading) {
  Bytes bytes = static_cast<Bytes>(reading.driver.reserved_bytes);
  if (reading.ours) bytes += kOwnContext;
  if (reading.has_endpoint) bytes += kEndpointContext;
  return bytes;
}

// By promises of other processes of ours: their word of a moment ago.
Bytes held_by_others(const CardReading& reading, const GpuState& before) {
  Bytes bytes = 0;
  for (const HeldMemory& held : before.sample.held) {
    const bool own = std::any_of(reading.held.begin(), reading.held.end(),
                                 [&](const HeldMemory& one) { return one.epoch == held.epoch; });
    if (!own) bytes += held.bytes;
  }
  return bytes;
}

Bytes taken_by_endpoint(const EndpointSample& endpoint) {
  Bytes bytes = endpoint.working + endpoint.fill + endpoint.residue;
  for (const ResidentModel& model : endpoint.models) bytes += model.bytes;
  return bytes;
}

// Taken by neither contexts nor us.
Bytes taken_by_rest(const CardReading& reading, const GpuState& before) {
  const Bytes taken = static_cast<Bytes>(reading.driver.total_bytes) -
                      static_cast<Bytes>(reading.driver.free_bytes);
  return std::max(
      Bytes{0}, taken - contexts_of(reading) - reading.reserved - held_by_others(reading, before));
}

}  // namespace

// A build that pages weights keeps them beside torch's memory: there only the driver knows, by the
// largest process that is not ours, or, where it tells no processes, by what nobody else took.
//
// Else it is torch's word, of a moment between the two readings of the driver. What moved between
// those and is no foreigner's that was there before is the endpoint's, which loads or gives back:
// the next sample would show it, if it were not.
Bytes endpoint_bytes(const CardReading& reading, const GpuState& before) {
  if (!reading.has_endpoint) return 0;
  const Bytes rest = taken_by_rest(reading, before);
  if (!reading.endpoint) return std::min(taken_by_endpoint(before.sample.endpoint), rest);
  if (!reading.endpoint->dynamic_vram) {
    const Bytes told = std::min(reading.endpoint->reserved_bytes, rest);
    const Bytes untold = std::max(Bytes{0}, rest - told - before.sample.foreign);
    return told + std::min(untold, reading.moved);
  }
  Bytes largest = -1;
  for (const gpu::GpuProcess& process : reading.driver.processes) {
    if (process.pid == reading.pid || !process.used_bytes) continue;
    largest = std::max(largest, static_cast<Bytes>(*process.used_bytes) - kEndpointContext);
  }
  return largest < 0 ? rest : std::min(largest, rest);
}

Sample sample_of(const CardReading& reading, const GpuState& before, WallTime at) {
  Sample sample;
  sample.at = at;
  sample.total = static_cast<Bytes>(reading.driver.total_bytes);
  sample.free = static_cast<Bytes>(reading.driver.free_bytes);
  sample.contexts = std::min(contexts_of(reading), sample.total);
  sample.foreign = taken_by_rest(reading, before) - endpoint_bytes(reading, before);
  sample.held = reading.held;
  return sample;
}

}  // namespace pytoon::worker
