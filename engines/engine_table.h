// Which engines there are: the `engines` part of config/engine.yaml with the files it names, and
// the variables that say where they are. An engine without an address is not in the table: nobody
// set it up.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engines/comfyui/comfy_engine.h"
#include "engines/engine_chain.h"
#include "engines/job_time.h"
#include "engines/remote/remote_engine.h"

namespace pytoon::engines {

// From the environment; "" is unset.
struct EngineVariables {
  std::string comfyui_urls;  // COMFYUI_BASE_URL, separated by commas
  std::string api_url;       // API_ENGINE_BASE_URL
  std::string api_key;       // API_ENGINE_KEY
  std::string api_provider;  // API_ENGINE_PROVIDER
};

struct EngineTable {
  EngineChainOptions engine_chain;
  JobTime job_time;
  SpendCaps caps;
  std::vector<ComfySettings> comfyui;
  std::vector<RemoteSettings> remote;
};

// Whether an order may cost something, so that the ledger must be the one that all share.
bool costs_money(const EngineTable& table);

// Workflows are read from workflows/ and mappings from providers/ beneath config_dir, all of them
// that engine.yaml names, whether in use or not. kInvalid naming the variable, or the field.
Result<EngineTable> read_engine_table(const Json& section, const std::filesystem::path& config_dir,
                                      const EngineVariables& variables);

}  // namespace pytoon::engines
