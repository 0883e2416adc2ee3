// What counts as a key of an ObjectStore. Pure functions.
#pragma once

#include <string>

#include "base/result.h"

namespace pytoon::io {

bool is_valid_key(const std::string& key);
// kInvalid quoting a key that is none.
Status check_key(const std::string& key);

}  // namespace pytoon::io
