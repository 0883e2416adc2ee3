// The engines of a process with all they stand on: the HTTP client, the engine chain over them.
// Made once from the table; what nobody set up is not made.
//
// Thread rule: any thread once open() returned.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/curl_client.h"
#include "base/log.h"
#include "engines/engine_table.h"

namespace pytoon::engines {

class EngineRegistry {
 public:
  // Opens no socket. ledger (shared by all whose orders count together), clock and log must outlive
  // the room.
  static Result<std::unique_ptr<EngineRegistry>> open(EngineTable table, SpendLedger& ledger,
                                                      Clock& clock, Log& log, ClipVerifier verify);

  EngineChain& engine_chain() { return *engine_chain_; }
  // The ComfyUI servers of this machine or network, each once, whichever engines use them.
  std::vector<ComfyServer*> comfyui_servers() const;
  // Whose prompts may run, and when. Before the first segment; must outlive the last one.
  void admit_by(PromptAdmission& admission);
  // What keeps the ComfyUI servers from working, as sentences. Blocks on the network; for a warning
  // at the start.
  std::vector<std::string> problems(const Watch& watch) const;
  // The same of one engine of the chain, whichever it is: for doctor.
  ComfyEngine::Findings find_problems(Engine& engine, const Watch& watch) const;

 private:
  EngineRegistry(SpendLedger& ledger, Clock& clock, Log& log, ClipVerifier verify)
      : ledger_(ledger), clock_(clock), log_(log), verify_(std::move(verify)) {}

  Status add_comfyui(std::vector<ComfySettings> settings);
  Status add_remote(std::vector<RemoteSettings> settings, const SpendCaps& caps);

  SpendLedger& ledger_;
  Clock& clock_;
  Log& log_;
  const ClipVerifier verify_;
  RandomIds ids_;
  CurlClient http_;
  std::vector<std::unique_ptr<Engine>> engines_;  // until the engine chain has them
  std::vector<ComfyEngine*> comfyui_;
  std::unique_ptr<EngineChain> engine_chain_;
};

}  // namespace pytoon::engines
