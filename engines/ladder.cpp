#include "engines/ladder.h"

#include <algorithm>

#include "base/check.h"
#include "engines/local_compositor.h"

namespace pytoon::engines {
namespace {

// Why the engine does not serve, or its footage.
Result<render::Footage> ask(Engine& engine, const spec::RenderSpec& spec, int segment) {
  if (!engine.can_draw(spec.archetype)) {
    return failure(FailureKind::kEngine,
                   "can't draw " + std::string(spec::name_of(spec.archetype)));
  }
  if (Status healthy = engine.health(); !healthy) return healthy.failure();
  return engine.supply(spec, segment);
}

std::string nothing_left(spec::EnginePolicy policy) {
  const std::string name(spec::name_of(policy));
  return "no engine that " + name + " allows is configured";
}

}  // namespace

Ladder::Ladder(std::vector<std::unique_ptr<Engine>> engines) : engines_(std::move(engines)) {}

Engine* Ladder::find(const std::string& name) {
  if (name == kTemplate) return &last_;  // a preset may ask for the plain card itself
  const auto found = std::find_if(engines_.begin(), engines_.end(),
                                  [&name](const auto& engine) { return engine->name() == name; });
  return found == engines_.end() ? nullptr : found->get();
}

std::vector<Engine*> Ladder::rungs(const std::vector<std::string>& chain,
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

Served Ladder::serve(const std::vector<std::string>& chain, const spec::RenderSpec& spec,
                     int segment) {
  std::string reason;
  for (Engine* const engine : rungs(chain, spec.engine_policy)) {
    const Result<render::Footage> footage = ask(*engine, spec, segment);
    const std::string name(engine->name());
    if (footage) return {*footage, name, !reason.empty(), reason};
    if (!reason.empty()) reason += "; ";
    reason += name + ": " + footage.failure().detail;
  }
  if (reason.empty()) reason = nothing_left(spec.engine_policy);
  const Result<render::Footage> card = ask(last_, spec, segment);
  CHECK(card.ok(), "the template always supplies");
  return {*card, std::string(kTemplate), true, reason};
}

std::vector<std::string> chain_of(const spec::RenderSpec& spec, const spec::PresetTable& presets) {
  const auto found = presets.find(spec.preset_id);
  if (found != presets.end()) return found->second.engines;
  return {std::string(kLocalCompositor)};
}

}  // namespace pytoon::engines
