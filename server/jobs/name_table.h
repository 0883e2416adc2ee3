// Names of an enumeration's values as records and answers have them: a table of rows, read both
// ways.
//
// Thread rule: pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "base/check.h"

namespace pytoon::jobs {

template <typename Enum>
struct Name {
  Enum value;
  std::string_view text;
};

template <typename Enum, std::size_t kCount>
std::string_view name_in(const std::array<Name<Enum>, kCount>& table, Enum value) {
  for (const Name<Enum>& row : table) {
    if (row.value == value) return row.text;
  }
  CHECK(false, "a value has no name");
}

template <typename Enum, std::size_t kCount>
std::optional<Enum> value_in(const std::array<Name<Enum>, kCount>& table, std::string_view text) {
  for (const Name<Enum>& row : table) {
    if (row.text == text) return row.value;
  }
  return std::nullopt;
}

}  // namespace pytoon::jobs
