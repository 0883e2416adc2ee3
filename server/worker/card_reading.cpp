// What a reading of a card makes of its memory: whose is what.
#include <algorithm>

#include "server/jobs/admission/gpu_use.h"
#include "server/worker/gpu_admission.h"

namespace pytoon::worker {

using jobs::admission::Bytes;
using jobs::admission::counts;
using jobs::admission::endpoint_total;
using jobs::admission::GpuState;
using jobs::admission::HeldMemory;
using jobs::admission::kMiB;
using jobs::admission::Promise;
using jobs::admission::Sample;

namespace {

// What a CUDA context takes, with cuBLAS and cuDNN in ComfyUI's: measured on an H100, rounded up.
constexpr Bytes kOwnContext = 512 * kMiB;
constexpr Bytes kEndpointContext = 768 * kMiB;
// NVENC's own limit, which no call tells: GeForce drivers from 551.23 on refuse a ninth session, of
// all programs and cards of a machine together; other cards have no limit (NVIDIA's Video Encode
// and Decode Support Matrix). Where a driver allows fewer, the refusal is waited out
// (pipeline/media/encoder_sessions.h).
constexpr int kGeForceSessions = 8;

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

int sessions_allowed(const CardReading& reading) {
  const int by_card =
      reading.driver.name.find("GeForce") == std::string::npos ? -1 : kGeForceSessions;
  if (reading.sessions_max <= 0) return by_card;
  return by_card < 0 ? reading.sessions_max : std::min(by_card, reading.sessions_max);
}

// Of the sessions that are open, those beyond what we have promised. One that we promised and have
// not opened yet hides another program's until the next sample.
int foreign_sessions(const CardReading& reading, const GpuState& before, WallTime at) {
  int ours = 0;
  for (const Promise& promise : before.promises) {
    if (counts(promise, before.sample, at)) ours += promise.encoder_sessions;
  }
  return std::max(0, reading.driver.encoder_sessions.value_or(0) - ours);
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
  if (!reading.endpoint) return std::min(endpoint_total(before.sample.endpoint), rest);
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
  sample.name = reading.driver.name;
  sample.encoder_sessions = reading.driver.encoder_sessions.value_or(-1);
  sample.encoder_sessions_max = sessions_allowed(reading);
  sample.encoder_sessions_foreign = foreign_sessions(reading, before, at);
  sample.total = static_cast<Bytes>(reading.driver.total_bytes);
  sample.free = static_cast<Bytes>(reading.driver.free_bytes);
  sample.contexts = std::min(contexts_of(reading), sample.total);
  sample.foreign = taken_by_rest(reading, before) - endpoint_bytes(reading, before);
  sample.held = reading.held;
  return sample;
}

}  // namespace pytoon::worker
