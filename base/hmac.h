// Keyed digests and the text form they travel in. Sources: RFC 2104 and FIPS 180-4, by OpenSSL;
// RFC 4648 section 4 (base64 with padding).
//
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pytoon {

std::string hmac_sha256(std::string_view key, std::string_view message);  // 32 raw bytes

std::string base64(std::string_view bytes);
// nullopt for anything but whole groups of four with padding.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace pytoon
