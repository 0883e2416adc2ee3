#include "server/io/redis/redis_url.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace pytoon::io {
namespace {

constexpr std::string_view kScheme = "redis://";
constexpr int kPortMax = 65535;
constexpr int kDatabaseMax = 1'000'000;

Failure wrong(const std::string& why) {
  return failure(FailureKind::kInvalid,
                 "REDIS_URL " + why + "; write redis://[:password@]host[:port][/database]");
}

std::optional<int> whole_number(std::string_view text, int least, int most) {
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  if (number < least || number > most) return std::nullopt;
  return number;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    int byte = 0;
    const auto read = std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16);
    if (read.ec != std::errc() || read.ptr != text.data() + i + 3) return std::nullopt;
    plain += static_cast<char>(byte);
    i += 2;
  }
  return plain;
}

Status read_user(std::string_view text, RedisAddress& address) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return wrong("has a user without a password");
  const auto user = decoded(text.substr(0, colon));
  const auto password = decoded(text.substr(colon + 1));
  if (!user || !password) return wrong("has a broken percent-encoding before the @");
  if (password->empty() && !user->empty()) return wrong("has a user without a password");
  address.user = *user;
  address.password = *password;
  return ok_status();
}

Status read_host(std::string_view text, RedisAddress& address) {
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return wrong("has a [ without its ]");
    address.host = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (!text.empty() && text.front() != ':') return wrong("has something odd after the host");
    port = text;
  } else {
    const std::size_t colon = text.find(':');
    address.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon);
  }
  if (address.host.empty()) return wrong("names no host");
  if (port.empty()) return ok_status();
  const auto number = whole_number(port.substr(1), 1, kPortMax);
  if (!number) return wrong("has a port that is no number from 1 to 65535");
  address.port = *number;
  return ok_status();
}

}  // namespace

Result<RedisAddress> parse_redis_url(const std::string& url) {
  if (url.starts_with("rediss://")) {
    return wrong("asks for TLS, which this build can't speak: use a private network or a tunnel");
  }
  if (!url.starts_with(kScheme)) return wrong("must begin with redis://");
  std::string_view rest = std::string_view(url).substr(kScheme.size());
  for (const char c : rest) {
    if (c <= ' ' || c == '\x7f') return wrong("has blanks or control characters");
  }
  RedisAddress address;
  if (rest.find_first_of("?#") != std::string_view::npos) return wrong("takes no options");
  if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
    if (Status read = read_user(rest.substr(0, at), address); !read) return read.failure();
    rest.remove_prefix(at + 1);
  }
  const std::size_t slash = rest.find('/');
  if (Status read = read_host(rest.substr(0, slash), address); !read) return read.failure();
  if (slash == std::string_view::npos || slash + 1 == rest.size()) return address;
  const auto database = whole_number(rest.substr(slash + 1), 0, kDatabaseMax);
  if (!database) return wrong("has a database that is no number");
  address.database = *database;
  return address;
}

}  // namespace pytoon::io
