// The endpoint's side of the controller: which prompt it should start, in which shape.
#include <algorithm>
#include <optional>
#include <vector>

#include "server/jobs/admission/controller.h"
#include "server/jobs/admission/facts.h"

namespace pytoon::jobs::admission {
namespace {

using Kind = Decision::Kind;
using std::chrono::milliseconds;

// What one shape of one task could do on this card.
enum class Fit { kRun, kFree, kWait, kResidue, kNo };

// Sums that all heads share, of one sample.
struct CardView {
  const GpuState& state;
  const ControllerOptions& options;
  WallTime now;
  Bytes available = 0;
  Bytes yieldable = 0;  // what POST /free would bring
  Bytes segments = 0;   // promised to segments: they end
};

CardView view_of(const GpuState& state, const ControllerOptions& options, WallTime now) {
  CardView view{state, options, now};
  view.available = available(state, now);
  view.yieldable = resident_bytes(state.sample) + state.sample.endpoint.fill;
  for (const Promise& promise : state.promises) {
    if (promise.lane != Lane::kGenerate && counts(promise, state.sample, now)) {
      view.segments += promise.bytes;
    }
  }
  return view;
}

// Each step asks the inequality of the one before with one more thing out of the way. They must
// not differ in anything else: `wait` with another headroom than `run` would wait for ever.
Fit fit_of(const CardView& view, const Request& request, Shape shape) {
  const Bytes peak = request.demand.peak[static_cast<int>(shape)];
  const Bytes headroom = view.options.ledger.headroom;
  const Sample& sample = view.state.sample;
  if (peak + headroom > usable_bytes(sample)) return Fit::kNo;
  const Bytes growth = growth_of(Lane::kGenerate, request.demand.model, peak, sample);
  if (view.available - growth >= headroom) return Fit::kRun;
  Bytes emptied = view.available + view.yieldable - peak;
  if (view.yieldable > 0 && emptied >= headroom) return Fit::kFree;
  emptied += view.segments;
  if (emptied >= headroom) return Fit::kWait;
  emptied += sample.endpoint.residue;
  if (emptied >= headroom) return Fit::kResidue;
  return Fit::kNo;
}

bool shape_is_open(const CardView& view, const Request& request, Shape shape) {
  const Sample& sample = view.state.sample;
  // The first run takes a bounded shape: nothing is known but the file's word.
  if (shape == Shape::kFull) return !request.demand.first_run;
  if (shape == Shape::kTiled) return true;
  return sample.endpoint.dynamic_vram &&
         resident_bytes(sample, request.demand.model) <= request.demand.paged_weights;
}

struct BestFit {
  Fit fit = Fit::kNo;
  Shape shape = Shape::kTiled;
};

// The first shape that runs; else the one that is nearest to it.
BestFit best_fit(const CardView& view, const Request& request) {
  BestFit best;
  for (const Shape shape : {Shape::kFull, Shape::kTiled, Shape::kPaged}) {
    if (!shape_is_open(view, request, shape)) continue;
    const Fit fit = fit_of(view, request, shape);
    if (fit < best.fit) best = {fit, shape};
    if (fit == Fit::kRun) break;
  }
  return best;
}

Decision facts_of(const CardView& view, const Request& request, Shape shape) {
  Decision decision = facts_of(view.state, view.options, view.now);
  decision.shape = shape;
  decision.need = request.demand.peak[static_cast<int>(shape)];
  decision.growth =
      growth_of(Lane::kGenerate, request.demand.model, decision.need, view.state.sample);
  return decision;
}

Decision run(const CardView& view, const Request& request, Shape shape) {
  Decision decision = facts_of(view, request, shape);
  decision.kind = Kind::kRun;
  decision.reason = Reason::kFits;
  decision.promise = decision.need;
  if (request.demand.first_run) {
    // All that is free, so that whatever the file hid is within the promise.
    const Bytes spare = view.available - decision.growth - view.options.ledger.headroom;
    decision.promise += std::max(Bytes{0}, spare);
  }
  return decision;
}

Decision wait_for(Decision decision, Reason reason, WallTime until) {
  decision.kind = Kind::kWait;
  decision.reason = reason;
  decision.until = until;
  return decision;
}

// When memory of ours comes back, at the latest: each promise ends, or its lease does.
WallTime next_release(const CardView& view) {
  std::optional<WallTime> next;
  for (const Promise& promise : view.state.promises) {
    if (ended_at(promise, view.now)) continue;
    const WallTime end = promise.ends_at > view.now ? promise.ends_at : promise.expires_at;
    if (!next || end < *next) next = end;
  }
  return next ? *next : next_sample(view.state, view.options, view.now);
}

bool room_is_due(const CardView& view) {
  return !view.state.room || view.now - view.state.room->asked_at >= view.options.room_interval;
}

// Reasons that concern the endpoint, whoever asks. No shortage is judged by a sample older than the
// last prompt's end: the card still looks full then, and a needless POST /free drops every model.
std::optional<Decision> endpoint_unready(const CardView& view) {
  const GpuState& state = view.state;
  const WallTime sampled = next_sample(state, view.options, view.now);
  const Decision facts = facts_of(state, view.options, view.now);
  if (!is_fresh(state.sample, view.now, view.options.ledger.sample_age_max)) {
    return wait_for(facts, Reason::kStaleSample, sampled);
  }
  for (const Promise& promise : state.promises) {
    if (promise.lane != Lane::kGenerate || !counts(promise, state.sample, view.now)) continue;
    if (ended_at(promise, view.now)) return wait_for(facts, Reason::kEndpointDraining, sampled);
    return wait_for(facts, Reason::kEndpointBusy, std::max(promise.ends_at, sampled));
  }
  if (is_making_room(state, view.options, view.now)) {
    return wait_for(facts, Reason::kMakingRoom, sampled);
  }
  switch (state.sample.endpoint.state) {
    case EndpointSample::State::kAbsent:
    case EndpointSample::State::kDown:
      return wait_for(facts, Reason::kEndpointDown, sampled);
    case EndpointSample::State::kBusy:
      return wait_for(facts, Reason::kEndpointBusy, sampled);
    case EndpointSample::State::kIdle:
      return std::nullopt;
  }
  return std::nullopt;
}

std::vector<std::size_t> in_order(const CardView& view, std::span<const Request> heads,
                                  const CardSizes& cards) {
  struct Ranked {
    milliseconds urgency;
    std::size_t head;
  };
  std::vector<Ranked> ranked;
  ranked.reserve(heads.size());
  for (std::size_t i = 0; i < heads.size(); ++i) {
    // While the endpoint is reserved, only the task that it is kept for.
    if (reservation_stands(view.state, view.now) && heads[i].task != view.state.reservation->task) {
      continue;
    }
    ranked.push_back({urgency_of(heads[i], view.state, cards, view.options, view.now), i});
  }
  std::sort(ranked.begin(), ranked.end(), [&heads](const Ranked& a, const Ranked& b) {
    if (a.urgency != b.urgency) return a.urgency > b.urgency;
    return heads[a.head].task < heads[b.head].task;
  });
  std::vector<std::size_t> order;
  order.reserve(ranked.size());
  for (const Ranked& one : ranked) order.push_back(one.head);
  return order;
}

// A figure with its margins, or one that was learned too high, may never fit beside what strangers
// hold of the card, or ComfyUI keeps: that must not exile the task. With the whole card promised to
// it, it shows what it needs, or runs out of memory and goes elsewhere. nullopt where even the
// workflow's own word does not fit, or memory of ours is to come back.
std::optional<Decision> trial(const CardView& view, const Request& request) {
  const Sample& sample = view.state.sample;
  const Bytes headroom = view.options.ledger.headroom;
  const Bytes emptied = view.available + view.yieldable;
  if (has_promises(view.state, view.now) || emptied - request.demand.structural < headroom)
    return std::nullopt;
  Decision decision = facts_of(view, request, Shape::kTiled);
  const Bytes others = view.yieldable - resident_bytes(sample, request.demand.model);
  if (others > 0) {
    if (!room_is_due(view)) return std::nullopt;
    decision.kind = Kind::kMakeRoom;
    decision.reason = Reason::kVramExhausted;
    return decision;
  }
  decision.kind = Kind::kRun;
  decision.reason = Reason::kTrial;
  decision.promise = sample.total;
  return decision;
}

// What one head gets; nullopt: the next one is asked, this one could do nothing here and now.
std::optional<Decision> answer(const CardView& view, const Request& request, BestFit best) {
  const GpuState& state = view.state;
  const milliseconds waited =
      std::chrono::duration_cast<milliseconds>(view.now - request.waiting_since);
  if (best.fit == Fit::kRun) return run(view, request, best.shape);
  if (best.fit == Fit::kFree && room_is_due(view)) {
    Decision decision = facts_of(view, request, best.shape);
    decision.kind = Kind::kMakeRoom;
    decision.reason = Reason::kVramExhausted;
    return decision;
  }
  if (waited >= view.options.trial_after && best.fit != Fit::kFree) {
    if (std::optional<Decision> tried = trial(view, request)) return tried;
  }
  if (best.fit == Fit::kResidue && waited >= view.options.residue_patience && room_is_due(view)) {
    Decision decision = facts_of(view, request, best.shape);
    decision.reason = Reason::kResidue;
    if (state.sample.endpoint.restartable) {
      decision.kind = Kind::kMakeRoom;
      decision.step = RoomStep::kRestartEndpoint;
      return decision;
    }
    if (request.policy == EnginePolicy::kLocalPreferred && request.offer) {
      decision.kind = Kind::kElsewhere;
      decision.lane = Lane::kApi;
      return decision;
    }
  }
  if (best.fit == Fit::kWait && waited >= view.options.reserve_after) {
    if (!request.reserved_on.empty() && request.reserved_on != state.uuid) return std::nullopt;
    Decision decision =
        wait_for(facts_of(view, request, best.shape), Reason::kVramExhausted, next_release(view));
    decision.reserve = !reservation_stands(state, view.now);
    return decision;
  }
  return std::nullopt;
}

}  // namespace

EndpointDecision decide_generation(const GpuState& state, std::span<const Request> heads,
                                   const CardSizes& cards, const ControllerOptions& options,
                                   WallTime now) {
  const CardView view = view_of(state, options, now);
  if (std::optional<Decision> unready = endpoint_unready(view)) {
    return {heads.size(), std::move(*unready)};
  }
  const std::vector<std::size_t> order = in_order(view, heads, cards);
  std::optional<EndpointDecision> first;  // what the most urgent one is told when nobody can go
  for (const std::size_t head : order) {
    const BestFit best = best_fit(view, heads[head]);
    if (std::optional<Decision> decision = answer(view, heads[head], best)) {
      return {head, std::move(*decision)};
    }
    if (!first) {  // told with the least that it could do with
      first = EndpointDecision{
          head, wait_for(facts_of(view, heads[head], Shape::kTiled),
                         best.fit == Fit::kResidue ? Reason::kResidue : Reason::kVramExhausted,
                         next_release(view))};
    }
  }
  if (first) return std::move(*first);
  const bool reserved = reservation_stands(state, now);
  return {
      heads.size(),
      wait_for(facts_of(state, options, now), reserved ? Reason::kReserved : Reason::kNothingWaits,
               reserved ? state.reservation->expires_at : next_sample(state, options, now))};
}

milliseconds urgency_of(const Request& request, const GpuState& state, const CardSizes& cards,
                        const ControllerOptions& options, WallTime now) {
  const Demand& demand = request.demand;
  milliseconds age = std::chrono::duration_cast<milliseconds>(now - request.waiting_since);
  age += options.priority_age * request.priority;
  if (resident_bytes(state.sample, demand.model) > 0 && options.batching_load.count() > 0) {
    age += options.batching_age * demand.load.count() / options.batching_load.count();
  }
  const Bytes smaller = cards.below(usable_bytes(state.sample));
  const Bytes tiled = demand.peak[static_cast<int>(Shape::kTiled)] + options.ledger.headroom;
  if (smaller > 0 && tiled > smaller) age += options.scarcity_age;
  if (request.deadline && *request.deadline - now < 2 * demand.run + options.deadline_slack) {
    age += options.deadline_age;
  }
  return age;
}

}  // namespace pytoon::jobs::admission
