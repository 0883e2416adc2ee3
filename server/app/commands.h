// What `pytoon SUBCOMMAND` does. Each returns the process's exit status: 0 done, 1 it failed, 2 the
// call or the configuration was wrong. Errors go to standard error as one line.
#pragma once

#include <filesystem>

#include "server/app/config.h"

namespace pytoon::app {

// API and workers in one process until SIGINT or SIGTERM.
int serve(const Config& config);
// One job without a server: checks the request's files as an upload would, renders, writes the
// job's files into `out`. Shows progress when standard error is a terminal.
int render_request(const Config& config, const std::filesystem::path& request,
                   const std::filesystem::path& out);
// What this machine has, each ok or why not. 0 when the main job can run.
int doctor(const Config& config);
// The presets as a table, or as JSON.
int list_presets(const Config& config, bool json);

}  // namespace pytoon::app
