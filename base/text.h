// The small grammar of text that crosses the network: case, blanks, digits, hex, percent-encoding,
// tokens. Sources: RFC 9110 section 5.6 (tokens, blanks), RFC 3986 section 2 (percent-encoding).
// ASCII only and free of the locale: bytes above 0x7f are left as they are.
//
// Thread rule: pure functions, linear in the text; views point into what was given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pytoon {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_token_char(char c) {
  return is_digit(c) || is_alpha(c) ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

std::string lower_case(std::string_view text);
// Without the blanks at both ends.
std::string_view trim(std::string_view text, std::string_view blanks = " \t");
// One more part than there are separators: "" gives one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

std::optional<int> hex_digit(char c);
// Two lower-case digits a byte.
std::string hex(std::string_view bytes);
// Everything but letters, digits and -._~
std::string percent_encode(std::string_view text);
// nullopt when a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);
// All digits, no sign, no blank; nullopt when it does not fit.
std::optional<unsigned long long> decimal(std::string_view text);

}  // namespace pytoon
