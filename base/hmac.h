// Keyed digests. Sources: RFC 2104 and FIPS 180-4, by OpenSSL.
//
// Thread rule: pure function.
#pragma once

#include <string>
#include <string_view>

namespace pytoon {

std::string hmac_sha256(std::string_view key, std::string_view message);  // 32 raw bytes

}  // namespace pytoon
