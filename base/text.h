// The small grammar of HTTP text (RFC 9110 section 5.6): tokens, blanks, case, percent-encoding.
// ASCII only and free of the locale.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pytoon::http {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
constexpr bool is_token_char(char c) {
  return is_digit(c) || is_alpha(c) ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

std::string lower_case(std::string_view text);
// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);
std::optional<int> hex_digit(char c);
// nullopt when a '%' is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);
// All digits, no sign, no blank; nullopt when it does not fit.
std::optional<unsigned long long> decimal(std::string_view text);

}  // namespace pytoon::http
