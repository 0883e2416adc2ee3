#include "server/worker/job_encoder.h"

#include <utility>

namespace pytoon::worker {
namespace {

constexpr std::string_view kGaveWayTo = " gave way to ";
constexpr std::string_view kBecause = ": ";

bool made_with(const std::vector<std::string>& keys, const std::vector<jobs::Segment>& segments) {
  for (const jobs::Segment& segment : segments) {
    if (segment.status == jobs::SegmentStatus::kDone &&
        segment.content_key == keys.at(static_cast<std::size_t>(segment.index))) {
      return true;
    }
  }
  return false;
}

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
  return from + std::string(kGaveWayTo) + encoder + std::string(kBecause) + reason;
}

std::optional<EncoderDecision> read_degraded(const std::string& text) {
  const std::size_t to = text.find(kGaveWayTo);
  if (to == std::string::npos) return std::nullopt;
  const std::size_t name = to + kGaveWayTo.size();
  const std::size_t because = text.find(kBecause, name);
  if (because == std::string::npos) return std::nullopt;
  return EncoderDecision{text.substr(name, because - name), text.substr(0, to),
                         text.substr(because + kBecause.size()), false};
}

Result<EncoderDecision> decide_encoder(render::Renderer& renderer, render::RenderJob job,
                                       const std::vector<jobs::Segment>& segments) {
  const std::vector<render::Encoder> encoders = renderer.encoders();
  const std::string& last = encoders.back().name;
  for (const jobs::Segment& segment : segments) {
    std::optional<EncoderDecision> kept = read_degraded(segment.error);
    if (kept && kept->encoder == last) return *kept;
  }
  const EncoderDecision best = best_of(encoders);
  for (const render::Encoder& encoder : encoders) {
    job.encoder = encoder.name;
    const Result<std::vector<std::string>> keys = renderer.content_keys(job);
    if (!keys) return keys.failure();
    if (!made_with(*keys, segments)) continue;
    if (!encoder.unavailable.empty()) {
      return EncoderDecision{last, encoder.name, encoder.unavailable, true};
    }
    return encoder.name == best.encoder ? best : EncoderDecision{encoder.name, "", "", false};
  }
  return best;
}

std::optional<EncoderDecision> decide_after(const Failure& failure,
                                            const render::Renderer& renderer,
                                            const std::string& encoder) {
  const std::vector<render::Encoder> encoders = renderer.encoders();
  if (failure.kind != FailureKind::kEncoder || encoder == encoders.back().name) {
    return std::nullopt;
  }
  return EncoderDecision{encoders.back().name, encoder, failure.detail, true};
}

}  // namespace pytoon::worker
