#include "base/ids.h"

#include <openssl/rand.h>

#include <array>
#include <cstdio>

#include "base/check.h"

namespace pytoon {

std::string without_dashes(std::string uuid) {
  std::erase(uuid, '-');
  return uuid;
}

std::string RandomIds::next() {
  std::array<unsigned char, 16> b{};
  CHECK(RAND_bytes(b.data(), static_cast<int>(b.size())) == 1, "no randomness");
  b[6] = static_cast<unsigned char>((b[6] & 0x0f) | 0x40);
  b[8] = static_cast<unsigned char>((b[8] & 0x3f) | 0x80);
  std::array<char, 37> text{};
  std::snprintf(text.data(), text.size(),
                "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
                b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
                b[15]);
  return text.data();
}

}  // namespace pytoon
