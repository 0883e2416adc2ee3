// How a receiver knows that a webhook is ours: Standard Webhooks, symmetric signatures.
//
//   webhook-signature: v1,base64(HMAC-SHA256(key, id + "." + timestamp + "." + body)) ...
//
// one for each secret, so that a new one can be brought in before the old one goes.
// Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md
//
// Thread rule: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace pytoon::jobs {

// Keys from "whsec_BASE64 whsec_BASE64": each 24 to 64 bytes. kInvalid never repeats a secret.
Result<std::vector<std::string>> webhook_keys(const std::string& secrets);

// The header's value. timestamp: seconds since 1970.
std::string webhook_signature(const std::vector<std::string>& keys, const std::string& id,
                              std::int64_t timestamp, const std::string& body);

}  // namespace pytoon::jobs
