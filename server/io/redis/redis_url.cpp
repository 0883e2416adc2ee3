#include "server/io/redis/redis_url.h"

#include "base/text.h"
#include "base/url.h"

namespace pytoon::io {
namespace {

constexpr unsigned long long kPortMax = 65535;
constexpr unsigned long long kDatabaseMax = 1'000'000;

Failure wrong(const std::string& why) {
  return failure(FailureKind::kInvalid,
                 "REDIS_URL " + why + "; write redis://[:password@]host[:port][/database]");
}

Status read_login(const UrlParts& url, RedisAddress& address) {
  const auto user = percent_decode(url.user.value_or(""));
  const auto password = percent_decode(url.password.value_or(""));
  if (!user || !password) return wrong("has a broken percent-encoding before the @");
  if (password->empty() && !user->empty()) return wrong("has a user without a password");
  address.user = *user;
  address.password = *password;
  return ok_status();
}

}  // namespace

Result<RedisAddress> parse_redis_url(const std::string& text) {
  const Result<UrlParts> url = split_url(text);
  if (!url || url->zone) return wrong("can't be read");
  if (url->scheme == "rediss") {
    return wrong("asks for TLS, which this build can't speak: use a private network or a tunnel");
  }
  if (url->scheme != "redis") return wrong("must begin with redis://");
  if (url->query || url->fragment) return wrong("takes no options");
  RedisAddress address;
  address.host = url->host;
  if (Status login = read_login(*url, address); !login) return login.failure();
  if (!url->port.empty()) {
    const auto port = decimal(url->port);
    if (!port || *port < 1 || *port > kPortMax) {
      return wrong("has a port that is no number from 1 to 65535");
    }
    address.port = static_cast<int>(*port);
  }
  if (url->path == "/") return address;
  const auto database = decimal(std::string_view(url->path).substr(1));
  if (!database || *database > kDatabaseMax) return wrong("has a database that is no number");
  address.database = static_cast<int>(*database);
  return address;
}

}  // namespace pytoon::io
