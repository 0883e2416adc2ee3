#include "server/jobs/key_registry.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace pytoon::jobs {
namespace {

constexpr std::string_view kKeyPrefix = "pyt_";  // found by scanners for leaked secrets
constexpr std::size_t kHintBytes = 8;
constexpr std::size_t kKeyNameBytesMax = 100;

Status check(const KeyOrder& order) {
  if (!is_tenant_name(order.tenant)) {
    return invalid_field("/tenant", "must be 1 to 64 letters, digits, '-', '_' and '.'");
  }
  if (!order.may_submit && !order.may_read && !order.admin) {
    return invalid_field("/scopes", "must name at least one of submit, read and admin");
  }
  if (order.name.size() > kKeyNameBytesMax) {
    return invalid_field("/name", "must be at most 100 bytes");
  }
  if (order.lifetime && order.lifetime->count() <= 0) {
    return invalid_field("/expires_in_days", "must be positive");
  }
  return ok_status();
}

}  // namespace

bool is_tenant_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return is_digit(c) || is_alpha(c) || c == '-' || c == '_' || c == '.';
  });
}

// Two random UUIDs have 244 random bits; the digest of them is as hard to guess and has none of
// their fixed ones.
NewKey KeyRegistry::make(ApiKey rights) {
  NewKey made{std::move(rights), {}};
  made.secret = std::string(kKeyPrefix) + sha256_hex(ids_.next() + ids_.next());
  made.key.id = "key_" + without_dashes(ids_.next()).substr(0, 16);
  made.key.hint = made.secret.substr(0, kHintBytes);
  made.key.digest = sha256_hex(made.secret);
  made.key.created_at = clock_.now();
  made.key.last_used_at.reset();
  return {as_of_now(std::move(made.key)), std::move(made.secret)};
}

Result<NewKey> KeyRegistry::create(const KeyOrder& order, const std::string& by) {
  if (Status sound = check(order); !sound) return sound.failure();
  ApiKey rights;
  rights.name = order.name;
  rights.tenant = order.tenant;
  rights.may_submit = order.may_submit || order.admin;
  rights.may_read = order.may_read || order.admin;
  rights.admin = order.admin;
  rights.plan = order.plan;
  if (order.lifetime) rights.expires_at = clock_.now() + *order.lifetime;
  NewKey made = make(std::move(rights));
  if (Status added = store_.add_key(made.key); !added) return added.failure();
  log_.info("key_created", {{"key_id", made.key.id}, {"tenant", made.key.tenant}, {"by", by}});
  return made;
}

Result<NewKey> KeyRegistry::rotate(const std::string& id, std::chrono::seconds grace,
                                   const std::string& by) {
  const Result<std::vector<ApiKey>> keys = store_.api_keys();
  if (!keys) return keys.failure();
  const auto old =
      std::find_if(keys->begin(), keys->end(), [&id](const ApiKey& key) { return key.id == id; });
  if (old == keys->end()) return failure(FailureKind::kNotFound, "there is no such key");
  NewKey made = make(*old);
  const WallTime until = clock_.now() + grace;
  if (Status put = store_.replace_key(id, made.key, until); !put) return put.failure();
  log_.info("key_rotated", {{"key_id", id}, {"successor", made.key.id}, {"by", by}});
  return made;
}

Result<std::vector<ApiKey>> KeyRegistry::list() {
  Result<std::vector<ApiKey>> keys = store_.api_keys();
  if (!keys) return keys;
  for (ApiKey& key : *keys) key = as_of_now(std::move(key));
  return keys;
}

ApiKey KeyRegistry::as_of_now(ApiKey key) const {
  key.expired = has_expired(key, clock_.now());
  return key;
}

Result<ApiKey> KeyRegistry::revoke(const std::string& id, const std::string& by) {
  Result<ApiKey> key = store_.revoke_key(id, clock_.now());
  if (!key) return key;
  log_.info("key_revoked", {{"key_id", id}, {"tenant", key->tenant}, {"by", by}});
  return as_of_now(*std::move(key));
}

}  // namespace pytoon::jobs
