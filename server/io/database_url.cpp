#include "server/io/database_url.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace pytoon::io {
namespace {

constexpr std::string_view kSqlite = "sqlite:///";
constexpr std::array<std::string_view, 2> kPostgres{"postgresql://", "postgres://"};
constexpr std::array<std::string_view, 7> kParameters{
    "sslmode", "sslrootcert",         "sslcert", "sslkey", "application_name",
    "host",    "target_session_attrs"};

Failure wrong(const std::string& what) {
  return failure(FailureKind::kInvalid,
                 "DB_URL " + what +
                     ": it must be sqlite:///path or postgresql://user:password@host:port/name");
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

// One keyword of libpq's connection string (PostgreSQL documentation, 34.1.1).
std::string keyword(std::string_view name, std::string_view value) {
  std::string text = std::string(name) + "='";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "' ";
}

struct Parts {
  std::string user;
  std::string password;
  std::string host;
  std::string port;
  std::string name;
};

// Takes what stands before `end` off the text; all of it when there is no such character.
std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return taken;
}

Status read_credentials(std::string_view text, Parts& parts) {
  const std::string_view user = take_until(text, ':');
  const auto decoded_user = percent_decoded(user);
  const auto decoded_password = percent_decoded(text);
  if (!decoded_user || !decoded_password) {
    return wrong("has a broken percent sign in its user or password (write %25 for %)");
  }
  if (decoded_user->empty()) return wrong("names no user");
  parts.user = *decoded_user;
  parts.password = *decoded_password;
  return ok_status();
}

Status read_place(std::string_view text, Parts& parts) {
  if (text.starts_with('[')) {
    if (text.find(']') == std::string_view::npos) return wrong("has no ] after its address");
    text.remove_prefix(1);
    parts.host = take_until(text, ']');
    if (!text.empty() && !text.starts_with(':')) return wrong("has a broken address in brackets");
    if (!text.empty()) text.remove_prefix(1);
  } else {
    parts.host = take_until(text, ':');
  }
  parts.port = text;
  if (parts.port.empty()) return ok_status();
  int port = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, port);
  if (read.ec != std::errc() || read.ptr != end || port < 1 || port > 65535) {
    return wrong(
        "has a port that is no number from 1 to 65535 (a password with :/?#@ in it must "
        "be percent-encoded)");
  }
  return ok_status();
}

Status read_parameters(std::string_view text, std::string& connection, Parts& parts) {
  while (!text.empty()) {
    std::string_view pair = take_until(text, '&');
    const std::string name(take_until(pair, '='));
    const auto value = percent_decoded(pair);
    if (std::find(kParameters.begin(), kParameters.end(), name) == kParameters.end()) {
      return wrong(
          "has a parameter that is not known (known are sslmode, sslrootcert, sslcert, "
          "sslkey, application_name, host, target_session_attrs)");
    }
    if (!value) return wrong("has a broken percent sign in its parameter " + name);
    if (name == "host") {
      parts.host = *value;
    } else {
      connection += keyword(name, *value);
    }
  }
  return ok_status();
}

Result<DatabaseUrl> parse_postgres(std::string_view text) {
  Parts parts;
  const std::size_t question = std::min(text.find('?'), text.size());
  std::string_view parameters = text.substr(question);
  if (!parameters.empty()) parameters.remove_prefix(1);
  text = text.substr(0, question);
  if (std::count(text.begin(), text.end(), '@') > 1) {
    return wrong("has more than one @ (write %40 for one in the password)");
  }
  if (text.find('@') != std::string_view::npos) {
    const Status read = read_credentials(take_until(text, '@'), parts);
    if (!read) return read.failure();
  }
  const Status place = read_place(take_until(text, '/'), parts);
  if (!place) return place.failure();
  const auto name = percent_decoded(text);
  if (!name || name->empty() || name->find('/') != std::string::npos) {
    return wrong("names no database after the host");
  }
  parts.name = *name;
  DatabaseUrl url;
  url.kind = DatabaseUrl::Kind::kPostgres;
  const Status more = read_parameters(parameters, url.connection, parts);
  if (!more) return more.failure();
  if (parts.host.empty()) return wrong("names no host");
  url.connection += keyword("host", parts.host) + keyword("dbname", parts.name);
  if (!parts.port.empty()) url.connection += keyword("port", parts.port);
  if (!parts.user.empty()) url.connection += keyword("user", parts.user);
  url.password = parts.password;
  url.shown = "postgresql://" + (parts.user.empty() ? "" : parts.user + "@") + parts.host +
              (parts.port.empty() ? "" : ":" + parts.port) + "/" + parts.name;
  return url;
}

}  // namespace

std::string DatabaseUrl::login() const {
  return password.empty() ? connection : connection + keyword("password", password);
}

Result<DatabaseUrl> parse_database_url(std::string_view text) {
  if (text.starts_with(kSqlite)) {
    DatabaseUrl url;
    url.file = text.substr(kSqlite.size());
    if (url.file.empty()) return wrong("names no file");
    url.shown = text;
    return url;
  }
  for (const std::string_view scheme : kPostgres) {
    if (text.starts_with(scheme)) return parse_postgres(text.substr(scheme.size()));
  }
  return wrong("is of an unknown kind");
}

}  // namespace pytoon::io
