// JSON Schema (draft 7) validation, by valijson.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/failure.h"

namespace pytoon::spec {

// Empty when document is valid. `schema` is the text of a schema of ours: a broken one aborts.
std::vector<FieldFault> schema_faults(const std::string& schema,
                                      const nlohmann::ordered_json& document);

}  // namespace pytoon::spec
