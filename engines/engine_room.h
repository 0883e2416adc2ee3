// The engines of a process with all they stand on: the HTTP client, the ledger, the ladder over
// them. Made once from the table; what nobody set up is not made.
//
// Thread rule: any thread once open() returned.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/curl_client.h"
#include "base/log.h"
#include "engines/engine_table.h"

namespace pytoon::engines {

class EngineRoom {
 public:
  // Opens no socket. ledger: where purchases are kept; the folder is made when a paid engine is
  // configured. clock and log must outlive the room.
  static Result<std::unique_ptr<EngineRoom>> open(EngineTable table,
                                                  const std::filesystem::path& ledger, Clock& clock,
                                                  Log& log, ClipVerifier verify);

  Ladder& ladder() { return *ladder_; }
  // What keeps the ComfyUI servers from working, as sentences. Blocks on the network; for doctor
  // and for a warning at the start.
  std::vector<std::string> problems(const Watch& watch) const;

 private:
  EngineRoom(Clock& clock, Log& log, ClipVerifier verify)
      : clock_(clock), log_(log), verify_(std::move(verify)) {}

  Status add_comfyui(std::vector<ComfySettings> settings);
  Status add_remote(std::vector<RemoteSettings> settings);

  Clock& clock_;
  Log& log_;
  const ClipVerifier verify_;
  RandomIds ids_;
  CurlClient http_;
  std::unique_ptr<SpendLedger> ledger_;
  std::vector<std::unique_ptr<Engine>> engines_;  // until the ladder has them
  std::vector<ComfyEngine*> comfyui_;
  std::unique_ptr<Ladder> ladder_;
};

}  // namespace pytoon::engines
