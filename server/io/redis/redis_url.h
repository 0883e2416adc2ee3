// Where the wake-up channel's Redis is: redis://[[user]:password@]host[:port][/database], as in
// REDIS_URL. User and password may be percent-encoded. rediss:// is refused: hiredis 0.14 has no
// TLS.
//
// Thread rule: plain values. Details never repeat the password.
#pragma once

#include <string>

#include "base/result.h"

namespace pytoon::io {

struct RedisAddress {
  std::string host;
  int port = 6379;
  std::string user;      // "" is Redis' default user
  std::string password;  // "" is none
  int database = 0;

  std::string text() const { return host + ":" + std::to_string(port); }  // for people
};

// kInvalid saying what is wrong and what to write instead.
Result<RedisAddress> parse_redis_url(const std::string& url);

}  // namespace pytoon::io
