// The request target, decoded once: path segments and query parameters. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pytoon::http {

// Percent-decodes each segment of a path that starts with '/'. kMalformed for bad escapes and for
// segments that mean something to a file system: ".", "..", or with '/', '\' or a control byte in.
Result<std::vector<std::string>> decode_path(std::string_view path);

using Query = std::map<std::string, std::string>;

// kMalformed for bad escapes, control bytes and a parameter that comes twice.
Result<Query> decode_query(std::string_view query);

}  // namespace pytoon::http
