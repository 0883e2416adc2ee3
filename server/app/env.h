// The environment as plain values: process variables, and a .env file beneath them.
//
// .env: KEY=VALUE lines; blank lines and # comments skipped; an `export ` prefix and matching
// single or double quotes around the value are taken off; no expansion. A process variable beats
// the file.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "base/result.h"

namespace pytoon::app {

using Environment = std::map<std::string, std::string>;

// kInvalid naming the line that is not KEY=VALUE.
Result<Environment> parse_env_file(const std::string& text);
// What the file says; empty where there is none.
Result<Environment> read_env_file(const std::filesystem::path& env_file);
// The process's own variables.
Environment process_environment();
// The process's variables over those of `env_file`, which may be missing.
Result<Environment> read_environment(const std::filesystem::path& env_file);

}  // namespace pytoon::app
