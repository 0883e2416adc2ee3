#include "server/http/credentials.h"

#include <utility>
#include <vector>

#include "base/hash.h"
#include "base/hmac.h"
#include "base/text.h"

namespace pytoon::http {
namespace {

constexpr std::size_t kTagDigits = 32;

std::optional<std::int64_t> seconds_in(std::string_view text) {
  const auto number = decimal(text);
  if (!number || *number >= (1ULL << 40)) return std::nullopt;
  return static_cast<std::int64_t>(*number);
}

std::string said_by(const Session& session) {
  return session.id + "." + std::to_string(session.expires_at) + "." + session.key_tag;
}

std::string said_by_link(std::string_view path, std::string_view expires, std::string_view tag) {
  return std::string(path) + "\n" + std::string(expires) + "\n" + std::string(tag);
}

}  // namespace

Credentials::Credentials(std::string secret, std::chrono::seconds session_life, const Clock& clock)
    : secret_(secret.empty() ? ids_.next() + ids_.next() : std::move(secret)),
      session_life_(session_life),
      clock_(clock) {}

std::int64_t Credentials::now_seconds() const {
  return std::chrono::floor<std::chrono::seconds>(clock_.now()).time_since_epoch().count();
}

// The purpose is authenticated too: what is good as a link is never good as a session.
std::string Credentials::code(std::string_view purpose, std::string_view text) const {
  return hex(hmac_sha256(secret_, std::string(purpose) + "\n" + std::string(text)));
}

std::string Credentials::tag_of(std::string_view key_digest) const {
  return code("key", key_digest).substr(0, kTagDigits);
}

Session Credentials::begin_session(std::string key_tag) {
  return Session{ids_.next(), now_seconds() + session_life_.count(), std::move(key_tag)};
}

std::string Credentials::token_of(const Session& session) const {
  const std::string said = said_by(session);
  return said + "." + code("session", said);
}

std::optional<Session> Credentials::session_of(std::string_view token) const {
  const std::vector<std::string_view> parts = split(token, '.');
  if (parts.size() != 4) return std::nullopt;
  const auto expires_at = seconds_in(parts[1]);
  if (!expires_at) return std::nullopt;
  Session session{std::string(parts[0]), *expires_at, std::string(parts[2])};
  if (!equal_constant_time(token_of(session), token)) return std::nullopt;
  if (session.expires_at <= now_seconds()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  if (ended_.contains(session.id)) return std::nullopt;
  return session;
}

std::string Credentials::csrf_token(const Session& session) const {
  return code("csrf", session.id);
}

void Credentials::end_session(const Session& session) {
  const std::int64_t now = now_seconds();
  const std::lock_guard lock(mutex_);
  std::erase_if(ended_, [&](const auto& entry) { return entry.second <= now; });
  ended_.emplace(session.id, session.expires_at);
}

std::string Credentials::link_to(const std::string& path, std::string_view key_tag,
                                 std::int64_t expires_at) const {
  const std::string expires = std::to_string(expires_at);
  return path + "?expires=" + expires + "&key=" + std::string(key_tag) +
         "&signature=" + code("link", said_by_link(path, expires, key_tag));
}

Result<std::string> Credentials::key_tag_of_link(const std::string& path,
                                                 const Query& query) const {
  const auto value = [&](const char* name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
  };
  const std::string expires = value("expires");
  const std::string tag = value("key");
  const std::string wanted = code("link", said_by_link(path, expires, tag));
  const auto expires_at = seconds_in(expires);
  if (!equal_constant_time(wanted, value("signature")) || !expires_at) {
    return failure(FailureKind::kForbidden, "This link is not one of ours.");
  }
  if (*expires_at <= now_seconds()) {
    return failure(FailureKind::kForbidden, "This link has expired.");
  }
  return tag;
}

std::optional<std::string_view> cookie_in(std::string_view header, std::string_view name) {
  for (std::string_view pair : split(header, ';')) {
    pair = trim(pair);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return pair.substr(equals + 1);
    }
  }
  return std::nullopt;
}

}  // namespace pytoon::http
