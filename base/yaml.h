// YAML files read as JSON values, so that everything behind has one kind of document to validate.
// Plain scalars become null, booleans, numbers or strings by the YAML 1.2 core schema; quoted ones
// stay strings. Aliases are followed. Errors name the file and the line.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "base/result.h"

namespace pytoon {

Result<nlohmann::ordered_json> read_yaml(const std::filesystem::path& path);

}  // namespace pytoon
