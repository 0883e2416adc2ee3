// The compositor's side of the controller, and the choice between the node and elsewhere.
#include <algorithm>

#include "server/jobs/admission/controller.h"
#include "server/jobs/admission/facts.h"

namespace pytoon::jobs::admission {

using Kind = Decision::Kind;
using std::chrono::microseconds;
using std::chrono::milliseconds;

void CardSizes::add(Bytes size) {
  const auto place = std::lower_bound(usable.begin(), usable.end(), size);
  if (place == usable.end() || *place != size) usable.insert(place, size);
}

Bytes CardSizes::below(Bytes bytes) const {
  Bytes found = 0;
  for (const Bytes size : usable) {
    if (size < bytes) found = std::max(found, size);
  }
  return found;
}

int segments_at_once(int threads, const Cost& cost) {
  constexpr int kOfHardwareEncoder = 4;
  const int pieces = std::max(1, cost.pieces);
  const int useful =
      cost.encoder_sessions > 0 ? kOfHardwareEncoder : (threads + pieces - 1) / pieces + 1;
  return std::max(1, std::min(threads, useful));
}

Bytes usable_bytes(const Sample& sample) { return sample.total - sample.contexts; }

Bytes largest_promise(const CardSizes& cards, const ControllerOptions& options) {
  return cards.largest() - options.ledger.headroom - options.largest_promise_slack;
}

bool is_making_room(const GpuState& state, const ControllerOptions& options, WallTime now) {
  return state.room && !state.room->finished && now - state.room->asked_at < options.room_timeout;
}

WallTime next_sample(const GpuState& state, const ControllerOptions& options, WallTime now) {
  return std::max(state.sample.at + options.sample_period, now + milliseconds(1));
}

Decision facts_of(const GpuState& state, const ControllerOptions& options, WallTime now) {
  Decision decision;
  decision.gpu = state.uuid;
  decision.available = available(state, now);
  decision.free = state.sample.free;
  decision.promised = state.sample.free - decision.available;
  const EndpointSample& endpoint = state.sample.endpoint;
  decision.comfyui =
      resident_bytes(state.sample) + endpoint.working + endpoint.fill + endpoint.residue;
  decision.foreign = state.sample.foreign;
  decision.headroom = options.ledger.headroom;
  return decision;
}

namespace {

// Live segments: their number, the first and the last predicted end.
struct Segments {
  int live = 0;
  WallTime first_end;
  WallTime last_end;
};

Segments segments_of(const GpuState& state, WallTime now) {
  Segments segments{0, WallTime::max(), now};
  for (const Promise& promise : state.promises) {
    if (promise.lane != Lane::kRender || ended_at(promise, now)) continue;
    ++segments.live;
    segments.first_end = std::min(segments.first_end, std::max(promise.ends_at, now));
    segments.last_end = std::max(segments.last_end, promise.ends_at);
  }
  return segments;
}

// EASY backfilling: a segment may pass the reserved task when it ends before the memory that the
// task waits for comes back, or leaves enough for it all the same.
bool delays_reserved(const GpuState& state, const Request& request, Bytes left,
                     const Segments& segments, const ControllerOptions& options, WallTime now) {
  if (!reservation_stands(state, now)) return false;
  const auto expected = std::chrono::duration_cast<microseconds>(
      std::chrono::duration<double, std::milli>(request.cost.duration) * options.duration_margin);
  if (now + expected <= segments.last_end) return false;
  const Bytes yieldable = resident_bytes(state.sample) + state.sample.endpoint.fill;
  const Bytes reserved = std::max(Bytes{0}, state.reservation->bytes - yieldable);
  return left - reserved < options.ledger.headroom;
}

Reason reason_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kStaleSample:
      return Reason::kStaleSample;
    case Refusal::kSlots:
      return Reason::kSlots;
    case Refusal::kEncoderSessions:
      return Reason::kEncoderSessions;
    case Refusal::kReserved:
      return Reason::kReserved;
    case Refusal::kEndpointTaken:
      return Reason::kEndpointBusy;
    case Refusal::kMemory:
      return Reason::kVramExhausted;
  }
  return Reason::kVramExhausted;
}

}  // namespace

Wish wish_of(const std::string& gpu, const Request& segment) {
  Wish wish;
  wish.gpu = gpu;
  wish.task = segment.task;
  wish.worker_id = segment.worker_id;
  wish.lane = Lane::kRender;
  wish.bytes = segment.cost.total();
  wish.segments_max = segment.segments_max;
  wish.encoder_sessions = segment.cost.encoder_sessions;
  wish.duration = segment.cost.duration;
  return wish;
}

Decision decide_render(const GpuState& state, const Request& request,
                       const ControllerOptions& options, WallTime now) {
  Decision decision = facts_of(state, options, now);
  decision.need = request.cost.total();
  decision.growth = decision.need;
  if (state.sample.total > 0 &&
      decision.need + options.ledger.headroom > usable_bytes(state.sample)) {
    decision.kind = Kind::kElsewhere;
    decision.lane = Lane::kCpu;
    decision.reason = Reason::kTooLarge;
    return decision;
  }
  const Segments segments = segments_of(state, now);
  const WallTime sampled = next_sample(state, options, now);
  const std::optional<Refusal> refusal =
      refusal_of(state, wish_of(state.uuid, request), options.ledger, now);
  if (!refusal) {
    const Bytes left = decision.available - decision.need;
    if (delays_reserved(state, request, left, segments, options, now)) {
      decision.kind = Kind::kWait;
      decision.reason = Reason::kReserved;
      decision.until = state.reservation->expires_at;
      return decision;
    }
    decision.kind = Kind::kRun;
    decision.reason = Reason::kFits;
    decision.promise = decision.need;
    return decision;
  }
  decision.kind = Kind::kWait;
  decision.reason = reason_of(*refusal);
  decision.until = *refusal == Refusal::kStaleSample || segments.live == 0
                       ? sampled
                       : std::max(sampled, segments.first_end);
  return decision;
}

Decision decide_spill(const Request& request, const CardQueue& queue, const CardSizes& cards,
                      const ControllerOptions& options, WallTime now) {
  const bool may_leave = request.policy != EnginePolicy::kLocalOnly && request.offer.has_value();
  Decision decision;
  decision.need = request.demand.structural;
  decision.available = cards.largest();
  decision.headroom = options.ledger.headroom;
  decision.lane = Lane::kApi;
  if (request.policy == EnginePolicy::kApiOnly) {
    decision.kind = request.offer ? Kind::kElsewhere : Kind::kNever;
    decision.reason = Reason::kPolicy;
    return decision;
  }
  if (cards.usable.empty() ||
      request.demand.structural + options.ledger.headroom > cards.largest()) {
    decision.kind = may_leave ? Kind::kElsewhere : Kind::kNever;
    decision.reason = cards.usable.empty() ? Reason::kNoGpu : Reason::kTooLarge;
    return decision;
  }
  const milliseconds wait = queue.cards > 0 ? queue.queued / queue.cards : queue.queued;
  decision.kind = Kind::kWait;
  decision.reason = Reason::kVramExhausted;
  decision.until = now + wait;
  const milliseconds here = wait + request.demand.run;
  if (!may_leave || wait.count() <= 0 || here <= request.offer->latency) return decision;
  // What staying costs: its own wait, and its run time to each that waits behind it.
  const milliseconds others = request.demand.run * queue.behind / std::max(1, queue.cards);
  const std::int64_t worth =
      options.micro_usd_per_second *
      (wait.count() * (request.priority > 0 ? options.priority_worth : 1) + others.count()) / 1000;
  const bool missed = request.deadline && now + here > *request.deadline &&
                      now + request.offer->latency < *request.deadline;
  if (worth <= request.offer->micro_usd && !missed) return decision;
  decision.kind = Kind::kElsewhere;
  decision.reason = worth > request.offer->micro_usd ? Reason::kPrice : Reason::kDeadline;
  return decision;
}

milliseconds memory_wait(const GpuState& state, const Request& segment, milliseconds patience,
                         const ControllerOptions& options, WallTime now) {
  const Decision decision = decide_render(state, segment, options, now);
  if (decision.kind != Kind::kWait || decision.reason != Reason::kVramExhausted) {
    return milliseconds(0);
  }
  for (const Promise& promise : state.promises) {
    if (promise.lane != Lane::kGenerate || ended_at(promise, now)) continue;
    if (decision.available + promise.bytes - decision.need < options.ledger.headroom) continue;
    const auto rest = std::chrono::duration_cast<milliseconds>(promise.ends_at - now);
    return std::clamp(rest, milliseconds(0), patience);
  }
  return patience;
}

Decision decide_compositor(const Request& segment, const RenderLoad& load, const CardSizes& cards,
                           const ControllerOptions& options) {
  Decision decision;
  decision.need = segment.cost.total();
  decision.available = cards.largest();
  decision.headroom = options.ledger.headroom;
  decision.lane = Lane::kCpu;
  decision.kind = Kind::kElsewhere;
  if (cards.usable.empty()) {
    decision.reason = Reason::kNoGpu;
    return decision;
  }
  if (decision.need + options.ledger.headroom > cards.largest()) {
    decision.reason = Reason::kTooLarge;
    return decision;
  }
  const int workers = std::max(1, load.queue.cards);  // one a card
  const int at_once = workers * segments_at_once(load.gpu_threads / workers, segment.cost);
  const milliseconds queue_wait = load.queue.queued / at_once;
  const milliseconds gpu_wait = std::max(queue_wait, load.memory_wait);
  const int cores = std::min(load.free_cores, load.segments);
  const auto cpu_time = std::chrono::duration<double, std::milli>(segment.cost.duration) *
                        options.cpu_slowdown * load.segments / std::max(1, cores);
  if (cores >= 2 && gpu_wait > cpu_time) {
    decision.reason = load.memory_wait > queue_wait ? Reason::kVramExhausted : Reason::kBacklog;
    return decision;
  }
  decision.kind = Kind::kRun;
  decision.reason = Reason::kFits;
  decision.lane = Lane::kRender;
  return decision;
}

}  // namespace pytoon::jobs::admission
