// The scopes of an API key by their names, for whatever carries them as may_submit, may_read and
// admin: keys, orders of keys, callers.
//
// Thread rule: pure functions.
#pragma once

#include <string_view>
#include <vector>

namespace pytoon::jobs {

// False for a name that is no scope. An admin may all.
template <typename Scoped>
bool grant(Scoped& who, std::string_view scope) {
  if (scope == "submit") {
    who.may_submit = true;
  } else if (scope == "read") {
    who.may_read = true;
  } else if (scope == "admin") {
    who.may_submit = who.may_read = who.admin = true;
  } else {
    return false;
  }
  return true;
}

template <typename Scoped>
std::vector<std::string_view> scopes_of(const Scoped& who) {
  std::vector<std::string_view> scopes;
  if (who.may_submit) scopes.emplace_back("submit");
  if (who.may_read) scopes.emplace_back("read");
  if (who.admin) scopes.emplace_back("admin");
  return scopes;
}

}  // namespace pytoon::jobs
