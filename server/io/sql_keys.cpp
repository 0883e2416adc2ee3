#include "server/io/sql_keys.h"

#include "server/io/sql_records.h"
#include "server/io/sql_transaction.h"

namespace pytoon::io {

using jobs::ApiKey;

namespace {

constexpr std::string_view kAll =
    "SELECT id, digest, hint, name, tenant, scopes, plan, created_at, expires_at, revoked_at, "
    "last_used_at FROM api_keys ORDER BY created_at DESC, id";
constexpr std::string_view kOne =
    "SELECT id, digest, hint, name, tenant, scopes, plan, created_at, expires_at, revoked_at, "
    "last_used_at FROM api_keys WHERE id = ? {FOR UPDATE}";

// Scopes as a number: the sum of those it has.
constexpr std::int64_t kSubmit = 1;
constexpr std::int64_t kRead = 2;
constexpr std::int64_t kAdmin = 4;

std::int64_t scopes_of(const ApiKey& key) {
  return (key.may_submit ? kSubmit : 0) + (key.may_read ? kRead : 0) + (key.admin ? kAdmin : 0);
}

ApiKey read_key(const Row& row) {
  ApiKey key;
  key.id = row.text(0);
  key.digest = row.text(1);
  key.hint = row.text(2);
  key.name = row.text(3);
  key.tenant = row.text(4);
  const std::int64_t scopes = row.integer(5);
  key.may_submit = (scopes & kSubmit) != 0;
  key.may_read = (scopes & kRead) != 0;
  key.admin = (scopes & kAdmin) != 0;
  key.plan = row.text(6);
  key.created_at = time_from(row.integer(7));
  key.expires_at = time_in(row, 8);
  key.revoked_at = time_in(row, 9);
  key.last_used_at = time_in(row, 10);
  return key;
}

bool insert(SqlSession& session, const ApiKey& key) {
  return session.run(
             "INSERT INTO api_keys (id, digest, hint, name, tenant, scopes, plan, created_at, "
             "expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
             {key.id, key.digest, key.hint, key.name, key.tenant, scopes_of(key), key.plan,
              micros_since_1970(key.created_at), time_or_null(key.expires_at)}) == 1;
}

Failure taken() { return failure(FailureKind::kConflict, "there is such a key already"); }
Failure unknown() { return failure(FailureKind::kNotFound, "there is no such key"); }

}  // namespace

Result<std::vector<ApiKey>> SqlKeyStore::api_keys() {
  return read_from(database_, [&](SqlSession& session) -> Result<std::vector<ApiKey>> {
    std::vector<ApiKey> keys;
    for (const Row& row : session.query(kAll)) keys.push_back(read_key(row));
    return keys;
  });
}

Status SqlKeyStore::add_key(const ApiKey& key) {
  return write_to(database_, [&](SqlSession& session) -> Status {
    return insert(session, key) ? ok_status() : Status(taken());
  });
}

Status SqlKeyStore::replace_key(const std::string& id, const ApiKey& successor, WallTime until) {
  return write_to(database_, [&](SqlSession& session) -> Status {
    const Rows rows = session.query(kOne, {id});
    if (rows.empty()) return unknown();
    const ApiKey old = read_key(rows[0]);
    if (old.revoked_at) return failure(FailureKind::kConflict, "the key was revoked");
    const WallTime end = std::min(old.expires_at.value_or(until), until);
    session.run("UPDATE api_keys SET expires_at = ? WHERE id = ?", {micros_since_1970(end), id});
    return insert(session, successor) ? ok_status() : Status(taken());
  });
}

Result<ApiKey> SqlKeyStore::revoke_key(const std::string& id, WallTime at) {
  return write_to(database_, [&](SqlSession& session) -> Result<ApiKey> {
    session.run("UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                {micros_since_1970(at), id});
    const Rows rows = session.query(kOne, {id});
    if (rows.empty()) return unknown();
    return read_key(rows[0]);
  });
}

Status SqlKeyStore::keys_used(const std::vector<std::pair<std::string, WallTime>>& uses) {
  if (uses.empty()) return ok_status();
  return write_to(database_, [&](SqlSession& session) -> Status {
    for (const auto& [id, at] : uses) {
      session.run(
          "UPDATE api_keys SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR "
          "last_used_at < ?)",
          {micros_since_1970(at), id, micros_since_1970(at)});
    }
    return ok_status();
  });
}

}  // namespace pytoon::io
