// The file of API keys that API_KEYS_FILE names.
//
// Thread rule: any thread. Blocks on the disk. Errors: read_file's; kInvalid names the line.
#pragma once

#include "base/result.h"
#include "server/app/config.h"
#include "server/http/key_ring.h"

namespace pytoon::app {

// Empty when no file is named.
Result<http::KeyRing> read_key_file(const Config& config);

}  // namespace pytoon::app
