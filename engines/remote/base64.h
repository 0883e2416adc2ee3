// Base64 with padding (RFC 4648 section 4), for images that travel inside JSON.
#pragma once

#include <string>
#include <string_view>

namespace pytoon::engines {

std::string base64(std::string_view bytes);

}  // namespace pytoon::engines
