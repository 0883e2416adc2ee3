#include "server/http/key_ring.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "server/jobs/key_registry.h"
#include "server/jobs/scopes.h"

namespace pytoon::http {
namespace {

Failure bad_line(std::size_t number, const std::string& why) {
  return failure(FailureKind::kInvalid, "API keys, line " + std::to_string(number) + ": " + why);
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> found;
  for (line = trim(line); !line.empty(); line = trim(line)) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    found.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return found;
}

bool read_scopes(std::string_view text, jobs::Caller& caller) {
  const auto scopes = split(text, ',');
  return std::all_of(scopes.begin(), scopes.end(),
                     [&caller](std::string_view scope) { return jobs::grant(caller, scope); });
}

}  // namespace

Status KeyRing::add(std::string_view key, jobs::Caller caller) {
  const bool visible =
      std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (key.size() < kKeyBytesMin || !visible) {
    return failure(FailureKind::kInvalid, "a key is at least 8 visible ASCII characters");
  }
  std::string digest = sha256_hex(key);
  if (has(digest)) {
    return failure(FailureKind::kInvalid, "the key is there already");
  }
  entries_.push_back({std::move(digest), std::move(caller)});
  return ok_status();
}

bool KeyRing::has(std::string_view digest) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.digest == digest; });
}

void KeyRing::add_digest(std::string digest, jobs::Caller caller) {
  if (!has(digest)) entries_.push_back({std::move(digest), std::move(caller)});
}

Result<KeyRing> KeyRing::parse(std::string_view text) {
  KeyRing ring;
  std::size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto fields = words(line);
    if (fields.empty() || fields.front().front() == '#') continue;
    if (fields.size() != 3 && fields.size() != 4) {
      return bad_line(number, "it must be 'key tenant scope[,scope] [plan]'");
    }
    if (!jobs::is_tenant_name(fields[1])) return bad_line(number, "the tenant is not a plain name");
    jobs::Caller caller{.tenant = std::string(fields[1])};
    if (!read_scopes(fields[2], caller)) {
      return bad_line(number, "the scopes are submit, read and admin");
    }
    if (fields.size() == 4) caller.plan = std::string(fields[3]);
    if (Status added = ring.add(fields[0], caller); !added) {
      return bad_line(number, added.failure().detail);
    }
  }
  return ring;
}

Status KeyRing::add_admin_key(std::string_view key) {
  return add(key, {.tenant = "default", .may_submit = true, .may_read = true, .admin = true});
}

std::optional<KeyRing::Holder> KeyRing::find(std::string_view presented_key) const {
  const std::string digest = sha256_hex(presented_key);
  std::optional<Holder> holder;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (equal_constant_time(entries_[i].digest, digest)) holder = Holder{entries_[i].caller, i};
  }
  return holder;
}

}  // namespace pytoon::http
