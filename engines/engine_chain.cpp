#include "engines/engine_chain.h"

#include <algorithm>

#include "base/check.h"
#include "engines/local_compositor.h"

namespace pytoon::engines {
namespace {

std::string nothing_left(spec::EnginePolicy policy) {
  const std::string name(spec::name_of(policy));
  return "no engine that " + name + " allows is configured";
}

constexpr const char* kDeadline = "deadline: the job's time for engines is over";

bool makes_clips(const Engine& engine) {
  const Capabilities can = engine.capabilities();
  return can.image_to_video || can.text_to_video;
}

bool contains(const std::vector<Engine*>& candidates, const Engine* engine) {
  return std::find(candidates.begin(), candidates.end(), engine) != candidates.end();
}

// steps.size() when it is not among them; "" is the first.
std::size_t position_of(const std::string& name, const std::vector<Engine*>& steps) {
  if (name.empty()) return 0;
  const auto found = std::find_if(steps.begin(), steps.end(),
                                  [&name](const Engine* step) { return step->name() == name; });
  return static_cast<std::size_t>(found - steps.begin());
}

// The first step behind an engine that is no step: later in the chain, or beneath it.
std::size_t position_after(const std::string& name, const std::vector<std::string>& chain,
                           const std::vector<Engine*>& steps) {
  const auto gone = std::find(chain.begin(), chain.end(), name);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const bool later =
        gone != chain.end() && std::find(gone, chain.end(), steps[i]->name()) != chain.end();
    if (later || !makes_clips(*steps[i])) return i;
  }
  return steps.size() - 1;
}

// The first remote engine behind steps[i] that would make it.
std::optional<FootageRequest::Alternative> alternative_behind(std::size_t i,
                                                              const std::vector<Engine*>& steps,
                                                              const FootageRequest& request) {
  for (++i; i < steps.size(); ++i) {
    if (!steps[i]->remote() || !makes_clips(*steps[i]) || !suits(*steps[i], request)) continue;
    const Result<Quote> quote = steps[i]->quote(request);
    if (quote) return FootageRequest::Alternative{quote->micro_usd, quote->duration};
  }
  return std::nullopt;
}

}  // namespace

EngineChain::EngineChain(std::vector<std::unique_ptr<Engine>> engines, const Clock& clock,
                         EngineChainOptions options)
    : engines_(std::move(engines)), clock_(clock), options_(options) {
  for (const auto& engine : engines_) {
    breakers_.try_emplace(std::string(engine->name()), clock_, options_.breaker);
  }
}

Engine* EngineChain::find(const std::string& name) {
  if (name == kTemplate) return &last_;  // a preset may ask for the plain card itself
  const auto found = std::find_if(engines_.begin(), engines_.end(),
                                  [&name](const auto& engine) { return engine->name() == name; });
  return found == engines_.end() ? nullptr : found->get();
}

CircuitBreaker::State EngineChain::breaker_state(const std::string& engine) const {
  const auto found = breakers_.find(engine);
  return found == breakers_.end() ? CircuitBreaker::State::kClosed : found->second.state();
}

std::vector<Engine*> EngineChain::candidates(const std::vector<std::string>& chain,
                                             spec::EnginePolicy policy) {
  std::vector<Engine*> local;
  std::vector<Engine*> remote;
  for (const std::string& name : chain) {
    if (Engine* const engine = find(name)) (engine->remote() ? remote : local).push_back(engine);
  }
  switch (policy) {
    case spec::EnginePolicy::kLocalOnly:
      return local;
    case spec::EnginePolicy::kApiOnly:
      return remote;
    case spec::EnginePolicy::kLocalPreferred:
      local.insert(local.end(), remote.begin(), remote.end());
      return local;
  }
  return local;
}

std::vector<Engine*> EngineChain::steps_for(std::vector<Engine*> steps, spec::EnginePolicy policy) {
  Engine* const drawing = find(std::string(kLocalCompositor));
  const bool may_draw = policy != spec::EnginePolicy::kApiOnly && drawing != nullptr;
  if (may_draw && !contains(steps, drawing)) steps.push_back(drawing);
  if (!contains(steps, &last_)) steps.push_back(&last_);
  return steps;
}

std::vector<Candidate> EngineChain::candidates_for(const std::vector<std::string>& chain,
                                                   spec::EnginePolicy policy,
                                                   const FootageRequest& request) {
  std::vector<Candidate> answer;
  for (Engine* const engine : steps_for(candidates(chain, policy), policy)) {
    Candidate& candidate = answer.emplace_back();
    candidate.engine = engine->name();
    candidate.remote = engine->remote();
    candidate.makes_clips = makes_clips(*engine);
    if (!candidate.makes_clips) continue;
    const Status fits = suits(*engine, request);
    Result<Quote> quote = fits ? engine->quote(request) : Result<Quote>(fits.failure());
    if (quote) {
      candidate.quote = std::move(*quote);
    } else {
      candidate.refused = quote.failure();
    }
  }
  return answer;
}

// Health first, then the footage, each within its own limit and what the watch leaves.
Result<plan::SegmentSource> EngineChain::ask_within(Engine& engine, const FootageRequest& request,
                                                    const Watch& watch) {
  Watch limited = watch;
  limited.deadline = std::min(watch.deadline, clock_.steady_now() + options_.health);
  if (Status healthy = engine.health(limited); !healthy) return healthy.failure();
  limited.deadline = watch.deadline;
  limited.limit = options_.generate;
  if (!engine.capabilities().waits_for_turn) limited = begun(clock_, limited);
  return engine.generate(request, limited);
}

bool EngineChain::too_late_for(const Engine& engine, const Watch& watch) const {
  return makes_clips(engine) && watch.deadline - clock_.steady_now() < options_.least;
}

// What speaks against it without asking it.
Status EngineChain::may_ask(const Engine& engine, const FootageRequest& request,
                            const Watch& watch) const {
  if (Status fits = suits(engine, request); !fits) return fits;
  if (too_late_for(engine, watch)) return failure(FailureKind::kTimeout, kDeadline);
  return ok_status();
}

Result<plan::SegmentSource> EngineChain::ask(Engine& engine, const FootageRequest& request,
                                             const Watch& watch) {
  if (Status may = may_ask(engine, request, watch); !may) return may.failure();
  const auto found = breakers_.find(engine.name());
  if (found == breakers_.end()) return ask_within(engine, request, watch);
  CircuitBreaker& breaker = found->second;
  if (!breaker.allow()) {
    return failure(FailureKind::kUnavailable, "failed too often, is left alone for a while");
  }
  Result<plan::SegmentSource> generated = ask_within(engine, request, watch);
  if (generated) {
    breaker.succeeded();
    return generated;
  }
  const FailureKind kind = generated.failure().kind;
  // The job's own time ran out, or the job was not for it: the engine did nothing wrong.
  const bool too_late = kind == FailureKind::kTimeout && clock_.steady_now() >= watch.deadline;
  // Nor is a full card an ill engine.
  if (traits(kind).blame == Blame::kInput || kind == FailureKind::kOutOfMemory || too_late) {
    breaker.gave_up();
  } else {
    breaker.failed();
  }
  if (too_late) return failure(kind, kDeadline);
  return generated;
}

std::vector<std::pair<std::string, int>> EngineChain::slots() const {
  std::vector<std::pair<std::string, int>> slots;
  for (const auto& engine : engines_) {
    if (makes_clips(*engine)) slots.emplace_back(engine->name(), engine->capabilities().slots);
  }
  return slots;
}

Result<ChainStep> EngineChain::step(const std::vector<std::string>& chain,
                                    spec::EnginePolicy policy, const FootageRequest& request,
                                    const Watch& watch, const ChainPosition& from,
                                    std::string_view slot) {
  std::string reason = from.failures;
  std::vector<Engine*> allowed = candidates(chain, policy);
  if (allowed.empty() && from.engine.empty()) reason = nothing_left(policy);
  const std::vector<Engine*> steps = steps_for(std::move(allowed), policy);
  const auto add_reason = [&reason](const std::string& engine, const std::string& detail) {
    if (!reason.empty()) reason += "; ";
    reason += engine + ": " + detail;
  };
  std::size_t i = position_of(from.engine, steps);
  if (i == steps.size()) {
    add_reason(from.engine, "no live worker has it");
    i = position_after(from.engine, chain, steps);
  }
  for (; i < steps.size(); ++i) {
    const std::string name(steps[i]->name());
    const bool waits = makes_clips(*steps[i]) && name != slot;
    const Status may = waits ? may_ask(*steps[i], request, watch) : ok_status();
    if (waits && may) return ChainStep(ChainPosition{name, reason});
    FootageRequest order = request;
    order.alternative = alternative_behind(i, steps, request);
    Result<plan::SegmentSource> generated = may ? ask(*steps[i], order, watch) : may.failure();
    if (generated)
      return ChainStep(ChainResult{std::move(*generated), name, !reason.empty(), reason});
    if (watch.cancel.cancelled()) return failure(FailureKind::kCancelled, "cancelled");
    add_reason(name, generated.failure().detail);
    slot = {};
  }
  CHECK(false, "the template always supplies");
}

std::vector<std::string> chain_of(const spec::RenderSpec& spec, const spec::PresetTable& presets) {
  const auto found = presets.find(spec.preset_id);
  if (found != presets.end()) return found->second.engines;
  return {std::string(kLocalCompositor)};
}

}  // namespace pytoon::engines
