#include "engines/engine.h"

#include <algorithm>

#include "base/trace_context.h"

namespace pytoon::engines {
namespace {

constexpr std::chrono::milliseconds kSlice{20};
// Neighbouring segments get seeds far apart (the golden ratio of 2^32; Knuth, TAOCP 6.4).
constexpr std::uint32_t kSeedStep = 2654435769U;

}  // namespace

std::string FootageRequest::key() const {
  return job_id + "/" + std::to_string(run) + "/" + std::to_string(segment);
}

std::string Watch::trace_id() const {
  const auto trace = parse_traceparent(traceparent);
  return trace ? trace->trace_id : "";
}

Result<Quote> Engine::quote(const FootageRequest& request) const {
  const Capabilities can = capabilities();
  return Quote{can.micro_usd_per_second * request.duration_seconds, can.latency, can.slots, ""};
}

Failure engine_fault(Failure exchange) {
  const bool ours = traits(exchange.kind).blame == Blame::kInput;
  if (ours && exchange.kind != FailureKind::kCancelled) exchange.kind = FailureKind::kEngine;
  return exchange;
}

Status suits(const Engine& engine, const FootageRequest& request) {
  const Capabilities can = engine.capabilities();
  const auto& drawn = can.archetypes;
  if (std::find(drawn.begin(), drawn.end(), request.archetype) == drawn.end()) {
    return failure(FailureKind::kForbidden,
                   "can't draw " + std::string(spec::name_of(request.archetype)));
  }
  // In an overlay generated pixels are only background; the product is laid over them.
  const bool fills_frame = request.image && request.archetype != spec::Archetype::kOverlay;
  if (request.brand_safe && can.redraws && fills_frame) {
    const std::string why = "would redraw the image of a brand-safe job";
    return Failure{FailureKind::kForbidden, why, {{"/brand_safe", why}}};
  }
  if (request.duration_seconds > can.duration_seconds_max) {
    return failure(FailureKind::kForbidden,
                   "makes no clip of " + std::to_string(request.duration_seconds) + " s");
  }
  return ok_status();
}

FootageRequest request_of(const spec::RenderSpec& spec, int index) {
  FootageRequest request;
  request.segment = index;
  request.archetype = spec.archetype;
  request.brand_safe = spec.brand_safe;
  request.platform = spec.constraints.platform;
  request.frame = spec.output;
  request.seed = spec.seed + static_cast<std::uint32_t>(index) * kSeedStep;
  if (const auto i = static_cast<std::size_t>(index); i < spec.segments.size()) {
    request.prompt = spec.segments[i].prompt;
    request.duration_seconds = spec.segments[i].duration_seconds;
  }
  return request;
}

Result<std::chrono::milliseconds> time_left(const Clock& clock, const Watch& watch,
                                            std::chrono::milliseconds longest) {
  if (watch.cancel.cancelled()) return failure(FailureKind::kCancelled, "cancelled");
  if (watch.deadline == SteadyTime::max()) return longest;
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(watch.deadline - clock.steady_now());
  if (left.count() <= 0) return failure(FailureKind::kTimeout, "out of time");
  return std::min(left, longest);
}

Watch begun(const Clock& clock, Watch watch) {
  if (watch.limit) watch.deadline = std::min(watch.deadline, clock.steady_now() + *watch.limit);
  watch.limit.reset();
  return watch;
}

Status pause(Clock& clock, const Watch& watch, std::chrono::milliseconds duration) {
  const SteadyTime until = clock.steady_now() + duration;
  for (;;) {
    const Result<std::chrono::milliseconds> left = time_left(clock, watch, kSlice);
    if (!left) return left.failure();
    const SteadyTime now = clock.steady_now();
    if (now >= until) return ok_status();
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - now);
    clock.sleep_for(std::min(rest, *left));
  }
}

}  // namespace pytoon::engines
