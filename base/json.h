// JSON text in and out. The library's parser and writer are templates that cost every file which
// calls them one to three seconds of compile time: they are instantiated in json.cpp and nowhere
// else. Files that build or read values still include <nlohmann/json.hpp>; those that only pass
// them on need no more than this header.
//
// Json is nlohmann::json (members sorted) or nlohmann::ordered_json (in the order they were added).
//
// Thread rule: pure functions, linear in the text. No exception leaves them. The parser's stack
// does not grow with the depth of the text, but copying and writing a value does: text of strangers
// goes through server/http/strict_json.h, which limits it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace pytoon {

// A value with is_discarded() when the text is not one JSON value (RFC 8259).
template <typename Json>
Json parse_json(std::string_view text);
template <>
nlohmann::json parse_json(std::string_view text);
template <>
nlohmann::ordered_json parse_json(std::string_view text);

// On one line, or with that many blanks a level. Bytes that are not UTF-8 become U+FFFD.
std::string json_text(const nlohmann::json& value, int indent = -1);
std::string json_text(const nlohmann::ordered_json& value, int indent = -1);

}  // namespace pytoon
