#include "server/jobs/admission/gpu_use.h"

#include <algorithm>

namespace pytoon::jobs::admission {

Bytes endpoint_total(const EndpointSample& endpoint) {
  Bytes bytes = endpoint.working + endpoint.fill + endpoint.residue;
  for (const ResidentModel& model : endpoint.models) bytes += model.bytes;
  return bytes;
}

// What is held beyond a promise is no part of it: a model that lies there from an earlier prompt
// may be larger than what the next one was promised.
GpuUse use_of(const GpuState& state, const LedgerOptions& options, WallTime now) {
  const Sample& sample = state.sample;
  GpuUse use;
  use.gpu = state.uuid;
  use.total = sample.total;
  use.free = sample.free;
  for (const Promise& promise : state.promises) {
    if (!counts(promise, sample, now)) continue;
    use.promised += promise.bytes;
    use.held += std::min(promise.bytes, held_of(promise, sample));
  }
  use.foreign = sample.foreign;
  use.comfyui = endpoint_total(sample.endpoint);
  use.headroom = options.headroom;
  if (sample.encoder_sessions >= 0) use.sessions_used = sample.encoder_sessions;
  if (sample.encoder_sessions_max >= 0) use.sessions_allowed = sample.encoder_sessions_max;
  return use;
}

}  // namespace pytoon::jobs::admission
