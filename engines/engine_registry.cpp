#include "engines/engine_registry.h"

#include <algorithm>
#include <map>

#include "engines/local_compositor.h"

namespace pytoon::engines {

Result<std::unique_ptr<EngineRegistry>> EngineRegistry::open(EngineTable table, SpendLedger& ledger,
                                                             Clock& clock, Log& log,
                                                             ClipVerifier verify) {
  std::unique_ptr<EngineRegistry> room(new EngineRegistry(ledger, clock, log, std::move(verify)));
  room->engines_.push_back(std::make_unique<LocalCompositor>());
  if (Status added = room->add_comfyui(std::move(table.comfyui)); !added) return added.failure();
  Status added = room->add_remote(std::move(table.remote), table.caps);
  if (!added) return added.failure();
  room->engine_chain_ =
      std::make_unique<EngineChain>(std::move(room->engines_), clock, table.engine_chain);
  return room;
}

Status EngineRegistry::add_comfyui(std::vector<ComfySettings> settings) {
  for (ComfySettings& one : settings) {
    Result<std::unique_ptr<ComfyEngine>> engine =
        ComfyEngine::make(std::move(one), {http_, clock_, ids_, verify_, log_});
    if (!engine) return engine.failure();
    comfyui_.push_back(engine->get());
    engines_.push_back(std::move(*engine));
  }
  return ok_status();
}

Status EngineRegistry::add_remote(std::vector<RemoteSettings> settings, const SpendCaps& caps) {
  for (RemoteSettings& one : settings) {
    Result<std::unique_ptr<RemoteEngine>> engine =
        RemoteEngine::make(std::move(one), {http_, clock_, ledger_, verify_, log_, caps});
    if (!engine) return engine.failure();
    engines_.push_back(std::move(*engine));
  }
  return ok_status();
}

std::vector<ComfyServer*> EngineRegistry::comfyui_servers() const {
  std::map<std::string, ComfyServer*> by_origin;
  for (const ComfyEngine* const engine : comfyui_) {
    if (engine->remote()) continue;
    for (ComfyServer* const server : engine->servers()) {
      by_origin.try_emplace(server->base().origin, server);
    }
  }
  std::vector<ComfyServer*> servers;
  for (const auto& [origin, server] : by_origin) servers.push_back(server);
  return servers;
}

void EngineRegistry::admit_by(PromptAdmission& admission) {
  for (ComfyEngine* const engine : comfyui_) {
    if (!engine->remote()) engine->admit_by(admission);
  }
}

std::vector<std::string> EngineRegistry::problems(const Watch& watch) const {
  std::vector<std::string> found;
  for (ComfyEngine* const engine : comfyui_) {
    for (std::string& problem : engine->find_problems(watch).problems) {
      found.push_back(std::string(engine->name()) + ": " + std::move(problem));
    }
  }
  return found;
}

ComfyEngine::Findings EngineRegistry::find_problems(Engine& engine, const Watch& watch) const {
  const auto comfyui = std::find(comfyui_.begin(), comfyui_.end(), &engine);
  if (comfyui != comfyui_.end()) return (*comfyui)->find_problems(watch);
  const Status healthy = engine.health(watch);
  if (healthy) return {{}, true};
  return {{healthy.failure().detail}, false};
}

}  // namespace pytoon::engines
