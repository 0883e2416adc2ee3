#include "server/worker/job_encoder.h"

#include "server/worker/vram_exhausted.h"

namespace pytoon::worker {
namespace {

// The best one, and which better ones a job could expect and doesn't get.
EncoderDecision best_of(const std::vector<render::Encoder>& encoders) {
  EncoderDecision best;
  for (const render::Encoder& encoder : encoders) {
    best.encoder = encoder.name;
    if (encoder.unavailable.empty()) break;
    if (encoder.expected && best.from.empty()) {
      best.from = encoder.name;
      best.reason = encoder.unavailable;
    }
  }
  return best;
}

}  // namespace

std::string EncoderDecision::degraded() const {
  if (from.empty()) return "";
  return from + " gave way to " + encoder + ": " + reason;
}

EncoderDecision decide_encoder(const std::vector<render::Encoder>& encoders,
                               const std::string& begun_with) {
  for (const render::Encoder& encoder : encoders) {
    if (encoder.name != begun_with) continue;
    if (encoder.unavailable.empty()) return {encoder.name, "", ""};
    return {encoders.back().name, encoder.name, encoder.unavailable};
  }
  return best_of(encoders);
}

std::optional<EncoderDecision> decide_after(const Failure& failure,
                                            const std::vector<render::Encoder>& encoders,
                                            const std::string& encoder) {
  const std::string& last = encoders.back().name;
  const bool exhausted = failure.kind == FailureKind::kOutOfMemory && encoders.size() > 1;
  if ((failure.kind != FailureKind::kEncoder && !exhausted) || encoder == last) return std::nullopt;
  return EncoderDecision{last, encoder,
                         exhausted ? vram_exhausted_text(failure.detail) : failure.detail};
}

}  // namespace pytoon::worker
