// Values of the API's answers that may be missing: null then. For files that build JSON.
//
// Thread rule: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/clock.h"

namespace pytoon::jobs {

// "" is none.
inline nlohmann::ordered_json text_or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
}

inline nlohmann::ordered_json time_or_null(const std::optional<WallTime>& time) {
  return time ? nlohmann::ordered_json(iso8601(*time)) : nlohmann::ordered_json(nullptr);
}

template <typename Value>
nlohmann::ordered_json or_null(const std::optional<Value>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace pytoon::jobs
