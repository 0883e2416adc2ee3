#include "base/base64.h"

#include <openssl/evp.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"

namespace pytoon {
namespace {

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a zero
  EVP_EncodeBlock(raw(text), raw(bytes), static_cast<int>(bytes.size()));
  text.pop_back();
  return text;
}

std::optional<std::string> base64_decoded(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t end = text.find_last_not_of('=') + 1;  // npos + 1 is 0
  const std::size_t padding = text.size() - end;
  // OpenSSL overlooks blanks at the ends and takes padding for zeros wherever it stands.
  const bool clean =
      std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end),
                  [](char c) { return is_digit(c) || is_alpha(c) || c == '+' || c == '/'; });
  if (!clean || padding > 2) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  CHECK(EVP_DecodeBlock(raw(bytes), raw(text), static_cast<int>(text.size())) >= 0, "base64");
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace pytoon
