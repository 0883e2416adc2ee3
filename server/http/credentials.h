// What stands for an API key where a browser or a player can't send its header: the cookie of a
// session, and signed links to single files. Nothing of them is stored; both carry a message
// authentication code (HMAC-SHA256) over what they say, made with a secret that all processes of a
// fleet share, so that each accepts what another one gave.
//
//   session cookie   id "." expiry "." key tag "." code
//   signed link      /path?expires=...&key=tag&signature=code
//
// Both name the key they were made with by its tag, a keyed digest, and are worth what that key is
// worth when they are used: with a key that is withdrawn its sessions and links end. Times are
// seconds since 1970, UTC, by the wall clock. Expiry is part of what is authenticated.
//
// A session that was ended is remembered until it would have expired, by this process alone: what
// a log-out takes from everywhere is the cookie in the browser.
//
// Thread rule: any thread; microseconds. Errors say what is wrong, never what would be right.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "base/result.h"
#include "server/http/target.h"

namespace pytoon::http {

inline constexpr std::string_view kSessionCookie = "pytoon_session";
inline constexpr std::chrono::seconds kLinkLifeMax = std::chrono::hours(24 * 7);

struct Session {
  std::string id;
  std::int64_t expires_at = 0;
  std::string key_tag;
};

class Credentials {
 public:
  // secret "" makes one that no other process knows. clock must outlive it.
  Credentials(std::string secret, std::chrono::seconds session_life, const Clock& clock);

  // Of a key, by its SHA-256 digest (key_ring.h): 32 hexadecimal digits.
  std::string tag_of(std::string_view key_digest) const;

  Session begin_session(std::string key_tag);
  std::string token_of(const Session& session) const;
  // nullopt for what is not ours, has expired or was ended.
  std::optional<Session> session_of(std::string_view token) const;
  // What a page must repeat in a header of each request that changes something: another site's page
  // can make the browser send the cookie, but can't read this.
  std::string csrf_token(const Session& session) const;
  void end_session(const Session& session);

  // Path and query of a link that answers GET of this path until then.
  std::string link_to(const std::string& path, std::string_view key_tag,
                      std::int64_t expires_at) const;
  // The tag of the key whose link this is. kForbidden for a link that has expired, or that is none
  // of ours for this path.
  Result<std::string> key_tag_of_link(const std::string& path, const Query& query) const;

  std::int64_t now_seconds() const;

 private:
  std::string code(std::string_view purpose, std::string_view text) const;

  const std::string secret_;
  const std::chrono::seconds session_life_;
  const Clock& clock_;
  RandomIds ids_;
  mutable std::mutex mutex_;
  std::map<std::string, std::int64_t> ended_;  // guarded by mutex_: ids, and when they expire
};

// The value of a cookie in a Cookie header (RFC 6265 section 4.2.1); nullopt when it is not there.
std::optional<std::string_view> cookie_in(std::string_view header, std::string_view name);

}  // namespace pytoon::http
