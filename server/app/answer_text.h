// What a server answered, as lines for a person at a terminal. Fields that a server of another
// version leaves out are shown as "-".
//
// Thread rule: any thread.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace pytoon::app {

// A field of an answer, or null.
const nlohmann::ordered_json& field(const nlohmann::ordered_json& object, const char* name);
std::string text_of(const nlohmann::ordered_json& value);
// The cards of GET /api/v1/admin/capacity: who has their memory, and what is promised on them.
std::string gpu_lines(const nlohmann::ordered_json& capacity);

}  // namespace pytoon::app
