// Bytes as text, with padding (RFC 4648 section 4), by OpenSSL. At most 1 GiB.
//
// Thread rule: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pytoon {

std::string base64(std::string_view bytes);
// nullopt for anything but whole groups of four with padding.
std::optional<std::string> base64_decoded(std::string_view text);

}  // namespace pytoon
