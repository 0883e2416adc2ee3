#include "engines/comfyui/reply.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace pytoon::engines {

std::string text_of(const nlohmann::json& reply, const char* name) {
  if (!reply.is_object() || !reply.contains(name)) return "";
  const nlohmann::json& value = reply[name];
  if (value.is_string()) return value.get<std::string>();
  return value.is_number() ? json_text(value) : "";
}

}  // namespace pytoon::engines
