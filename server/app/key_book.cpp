#include "server/app/key_book.h"

#include <algorithm>

#include "base/ids.h"
#include "server/app/backends.h"
#include "server/app/key_file.h"

namespace pytoon::app {
namespace {

constexpr std::chrono::minutes kBetweenUses{1};

jobs::Caller caller_of(const jobs::ApiKey& key) {
  jobs::Caller caller;
  caller.tenant = key.tenant;
  caller.may_submit = key.may_submit;
  caller.may_read = key.may_read;
  caller.admin = key.admin;
  caller.plan = key.plan;
  caller.key_id = key.id;
  return caller;
}

}  // namespace

Result<http::KeyRing> KeyBook::ring_of_file() const {
  Result<http::KeyRing> ring = read_key_file(config_);
  if (!ring) return ring;
  std::string key = config_.api_key;
  if (key.empty() && ring->size() == 0 && !config_.production) {
    RandomIds ids;
    Result<std::string> own = own_secret(config_, "api_key", ids.next());
    if (!own) return own.failure();
    log_.info("api_key_file", {{"path", (config_.data_dir / "api_key").string()}});
    key = std::move(*own);
  }
  if (key.empty()) return ring;
  if (Status added = ring->add_admin_key(key); !added) return added.failure();
  return ring;
}

// With the lock held. Those of the record come last: a key that is in the file too is the file's.
http::KeyRing KeyBook::ring() {
  http::KeyRing ring = of_file_;
  live_ = live_ids();
  for (const jobs::ApiKey& key : recorded_) {
    const bool live = std::find(live_.begin(), live_.end(), key.id) != live_.end();
    if (live) ring.add_digest(key.digest, caller_of(key));
  }
  return ring;
}

std::vector<std::string> KeyBook::live_ids() const {
  std::vector<std::string> ids;
  const WallTime now = clock_.now();
  for (const jobs::ApiKey& key : recorded_) {
    if (!key.revoked_at && !has_expired(key, now)) ids.push_back(key.id);
  }
  return ids;
}

void KeyBook::read_record() {
  Result<std::vector<jobs::ApiKey>> keys = store_.api_keys();
  if (keys) recorded_ = std::move(*keys);
  if (!keys && !away_) {
    log_.warning("keys_not_read", {{"reason", keys.failure().detail}});
  }
  away_ = !keys;
}

Result<http::KeyRing> KeyBook::open() {
  const std::lock_guard lock(mutex_);
  Result<http::KeyRing> of_file = ring_of_file();
  if (!of_file) return of_file;
  of_file_ = std::move(*of_file);
  read_record();
  http::KeyRing keys = ring();
  if (keys.size() > 0) return keys;
  return failure(FailureKind::kInvalid,
                 "API_KEY must be set in production (or API_KEYS_FILE with a key in it, or a key "
                 "made before with `pytoon keys create`)");
}

void KeyBook::reload(http::HttpServer& server) {
  const std::lock_guard lock(mutex_);
  Result<http::KeyRing> of_file = ring_of_file();
  if (of_file) {
    of_file_ = std::move(*of_file);
  } else {
    log_.error("keys_not_reloaded", {{"reason", of_file.failure().detail}});
  }
  read_record();
  replace(server, "keys_reloaded");
}

// An empty ring is one too: revoking the last key must hold.
void KeyBook::replace(http::HttpServer& server, const char* event) {
  http::KeyRing keys = ring();
  log_.info(event, {{"keys", keys.size()}});
  server.replace_keys(std::move(keys));
}

void KeyBook::look(http::HttpServer& server) {
  const std::lock_guard lock(mutex_);
  tell_uses(server.take_key_uses());
  read_record();
  if (live_ids() != live_) replace(server, "keys_changed");
}

void KeyBook::tell_uses(const std::map<std::string, WallTime>& uses) {
  for (const auto& [id, at] : uses) untold_[id] = at;
  std::vector<std::pair<std::string, WallTime>> due;
  for (const auto& [id, at] : untold_) {
    const auto told = told_at_.find(id);
    if (told == told_at_.end() || at - told->second >= kBetweenUses) due.emplace_back(id, at);
  }
  if (due.empty() || !store_.keys_used(due)) return;
  for (const auto& [id, at] : due) {
    told_at_[id] = at;
    untold_.erase(id);
  }
}

}  // namespace pytoon::app
