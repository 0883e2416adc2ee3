// API keys that the record keeps: who may do what, until when. The key itself is shown once, when
// it is made, and nowhere kept; what is kept is its SHA-256, which gives nothing away, since a key
// has 244 random bits.
//
// Thread rule: values.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "base/clock.h"

namespace pytoon::jobs {

struct ApiKey {
  std::string id;      // "key_...", for lists and logs
  std::string digest;  // of the key: SHA-256, hexadecimal
  std::string hint;    // the key's first characters, to tell it from others
  std::string name;    // what its owner calls it
  std::string tenant;
  bool may_submit = false;
  bool may_read = false;
  bool admin = false;
  std::string plan;  // whose limits hold for it
  WallTime created_at;
  std::optional<WallTime> expires_at;
  std::optional<WallTime> revoked_at;
  std::optional<WallTime> last_used_at;  // to the minute
  bool expired = false;                  // when it was read
};

inline bool has_expired(const ApiKey& key, WallTime now) {
  return key.expires_at && *key.expires_at <= now;
}

// What a new key is to be.
struct KeyOrder {
  std::string name;
  std::string tenant;
  bool may_submit = false;
  bool may_read = false;
  bool admin = false;
  std::string plan = "default";
  std::optional<std::chrono::seconds> lifetime;  // none: for ever
};

struct NewKey {
  ApiKey key;
  std::string secret;  // the key itself: this once
};

// As the API shows it.
nlohmann::ordered_json to_json(const ApiKey& key);

}  // namespace pytoon::jobs
