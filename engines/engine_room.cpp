#include "engines/engine_room.h"

#include "engines/local_compositor.h"

namespace pytoon::engines {

Result<std::unique_ptr<EngineRoom>> EngineRoom::open(EngineTable table,
                                                     const std::filesystem::path& ledger,
                                                     Clock& clock, Log& log, ClipVerifier verify) {
  std::unique_ptr<EngineRoom> room(new EngineRoom(clock, log, std::move(verify)));
  if (table.remote.empty()) {
    room->ledger_ = std::make_unique<MemoryLedger>(clock, table.caps);
  } else {
    Result<std::unique_ptr<FileLedger>> opened = FileLedger::open(ledger, clock, table.caps);
    if (!opened) return opened.failure();
    room->ledger_ = std::move(*opened);
  }
  room->engines_.push_back(std::make_unique<LocalCompositor>());
  if (Status added = room->add_comfyui(std::move(table.comfyui)); !added) return added.failure();
  if (Status added = room->add_remote(std::move(table.remote)); !added) return added.failure();
  room->ladder_ = std::make_unique<Ladder>(std::move(room->engines_), clock, table.ladder);
  return room;
}

Status EngineRoom::add_comfyui(std::vector<ComfySettings> settings) {
  for (ComfySettings& one : settings) {
    Result<std::unique_ptr<ComfyEngine>> engine =
        ComfyEngine::make(std::move(one), {http_, clock_, ids_, verify_, log_});
    if (!engine) return engine.failure();
    comfyui_.push_back(engine->get());
    engines_.push_back(std::move(*engine));
  }
  return ok_status();
}

Status EngineRoom::add_remote(std::vector<RemoteSettings> settings) {
  for (RemoteSettings& one : settings) {
    Result<std::unique_ptr<RemoteEngine>> engine =
        RemoteEngine::make(std::move(one), {http_, clock_, *ledger_, verify_, log_});
    if (!engine) return engine.failure();
    engines_.push_back(std::move(*engine));
  }
  return ok_status();
}

std::vector<std::string> EngineRoom::problems(const Watch& watch) const {
  std::vector<std::string> found;
  for (ComfyEngine* const engine : comfyui_) {
    for (std::string& problem : engine->problems(watch)) {
      found.push_back(std::string(engine->name()) + ": " + std::move(problem));
    }
  }
  return found;
}

}  // namespace pytoon::engines
