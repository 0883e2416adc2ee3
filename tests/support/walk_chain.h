// Asks one engine after the other as workers do, by one who finds a slot of each free at once.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "engines/engine_chain.h"

namespace pytoon::support {

inline Result<engines::ChainResult> walk_chain(engines::EngineChain& engine_chain,
                                               const std::vector<std::string>& chain,
                                               spec::EnginePolicy policy,
                                               const engines::FootageRequest& request,
                                               const engines::Watch& watch) {
  engines::ChainPosition at;
  for (;;) {
    Result<engines::ChainStep> step =
        engine_chain.step(chain, policy, request, watch, at, at.engine);
    if (!step) return step.failure();
    if (auto* const result = std::get_if<engines::ChainResult>(&*step)) return std::move(*result);
    at = std::get<engines::ChainPosition>(*step);
  }
}

}  // namespace pytoon::support
