// Named slots in JSON documents: "{{prompt}}" in a workflow or a provider's request.
//
// A string that is one slot and nothing else becomes the value with its type (a number stays a
// number); a slot inside a longer string becomes text. Members and items whose value is null are
// left out: an optional image leaves no trace. What was filled in is not looked at again, so a
// user's "{{seed}}" stays what it is. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>

#include "base/result.h"

namespace pytoon::engines {

using Json = nlohmann::ordered_json;

// Every slot must have a value: compare with slots_of() when the document is loaded.
Json filled(const Json& document, const Json& values);
std::string filled_text(const std::string& text, const Json& values);
// The slots of a document.
std::set<std::string> slots_of(const Json& document);

}  // namespace pytoon::engines
