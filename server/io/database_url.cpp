#include "server/io/database_url.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>

#include "base/text.h"

namespace pytoon::io {
namespace {

constexpr std::string_view kSqlite = "sqlite:///";
constexpr std::array<std::string_view, 2> kPostgres{"postgresql://", "postgres://"};
constexpr std::array<std::string_view, 6> kParameters{
    "sslmode", "sslrootcert", "sslcert", "sslkey", "application_name", "target_session_attrs"};
constexpr std::array<std::string_view, 5> kPlace{"host", "dbname", "port", "user", "password"};
constexpr unsigned long long kPortMax = 65535;

Failure wrong(const std::string& what) {
  return failure(FailureKind::kInvalid,
                 "DB_URL " + what +
                     ": it must be sqlite:///path or postgresql://user:password@host:port/name");
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

struct OptionsDeleter {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

// What the URL says, by libpq's names; nullopt when libpq can't read it. Its reason is not told: it
// repeats the text.
std::optional<std::map<std::string, std::string, std::less<>>> read_options(
    const std::string& text) {
  char* reason = nullptr;
  const std::unique_ptr<PQconninfoOption, OptionsDeleter> options(
      PQconninfoParse(text.c_str(), &reason));
  const std::unique_ptr<char, decltype(&PQfreemem)> owner(reason, &PQfreemem);
  if (!options) return std::nullopt;
  std::map<std::string, std::string, std::less<>> said;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) said[option->keyword] = option->val;
  }
  return said;
}

// One for each host, "" for the usual one.
bool are_ports(std::string_view text) {
  const std::vector<std::string_view> ports = split(text, ',');
  return std::all_of(ports.begin(), ports.end(), [](std::string_view one) {
    const auto port = decimal(one);
    return one.empty() || (port && *port >= 1 && *port <= kPortMax);
  });
}

// libpq takes the first @ or / for the end of the password: what is left of it would be shown as
// part of the host or of the database's name.
bool credentials_end_once(std::string_view text) {
  text = text.substr(0, text.find('?'));
  text.remove_prefix(text.find("://") + 3);
  const std::size_t last = text.rfind('@');
  return last == std::string_view::npos || (text.find('@') == last && text.find('/') > last);
}

Result<DatabaseUrl> parse_postgres(const std::string& text) {
  if (!credentials_end_once(text)) {
    return wrong("has a @ or / in its user, password or name (write %40 and %2F)");
  }
  auto said = read_options(text);
  if (!said) {
    return wrong("can't be read (write %25 for %, %40 for @ in a user, password or parameter)");
  }
  DatabaseUrl url;
  url.kind = DatabaseUrl::Kind::kPostgres;
  for (const auto& [name, value] : *said) {
    if (std::find(kPlace.begin(), kPlace.end(), name) != kPlace.end()) continue;
    if (std::find(kParameters.begin(), kParameters.end(), name) == kParameters.end()) {
      return wrong(
          "has a parameter that is not known (known are sslmode, sslrootcert, sslcert, "
          "sslkey, application_name, host, target_session_attrs)");
    }
    url.connection += keyword(name, value);
  }
  const std::string& host = (*said)["host"];
  const std::string& port = (*said)["port"];
  const std::string& name = (*said)["dbname"];
  const std::string& user = (*said)["user"];
  url.password = (*said)["password"];
  if (host.empty()) return wrong("names no host");
  if (user.empty() && !url.password.empty()) return wrong("names no user");
  if (name.empty() || name.find('/') != std::string::npos) {
    return wrong("names no database after the host");
  }
  if (!are_ports(port)) {
    return wrong(
        "has a port that is no number from 1 to 65535 (a password with :/?#@ in it must be "
        "percent-encoded)");
  }
  url.connection += keyword("host", host) + keyword("dbname", name);
  if (!port.empty()) url.connection += keyword("port", port);
  if (!user.empty()) url.connection += keyword("user", user);
  url.shown = "postgresql://" + (user.empty() ? "" : user + "@") + host +
              (port.empty() ? "" : ":" + port) + "/" + name;
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
    if (text.starts_with(scheme)) return parse_postgres(std::string(text));
  }
  return wrong("is of an unknown kind");
}

}  // namespace pytoon::io
