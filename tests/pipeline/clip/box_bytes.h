// Boxes of MP4 as bytes, for tests of files that no program writes. ISO/IEC 14496-12 section 4.2.
#pragma once

#include <cstdint>
#include <string>

namespace pytoon::media {

// Big-endian.
inline std::string number(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}

inline std::string box(const std::string& type, const std::string& content) {
  return number(static_cast<std::uint32_t>(content.size() + 8)) + type + content;
}

}  // namespace pytoon::media
