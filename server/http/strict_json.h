// A JSON body read without mercy: what different parsers read differently is refused.
//
// Refused with kMalformed and a detail that says where: more than 64 levels (nlohmann's values
// overflow the stack when copied or printed), a key twice in one object, a byte order mark,
// invalid UTF-8, a lone surrogate, a number that is not finite, anything after the value.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "base/result.h"

namespace pytoon::http {

inline constexpr int kJsonDepthMax = 64;

Result<nlohmann::json> parse_strict_json(std::string_view text);
// kInvalid for what is JSON and no object.
Result<nlohmann::json> parse_strict_object(std::string_view text);

}  // namespace pytoon::http
