// API keys and what each may do. Only SHA-256 digests are kept, never a key; a presented key is
// hashed and compared with every digest in constant time, so the time of an answer says nothing
// about how near a guess was. Errors name a line, never its content.
//
// Thread rule: immutable after parsing; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/jobs/service.h"

namespace pytoon::http {

inline constexpr std::size_t kKeyBytesMin = 8;

class KeyRing {
 public:
  struct Holder {
    jobs::Caller caller;
    std::size_t index = 0;  // of the key, stable for the life of the ring
  };

  // The text of a keys file: lines "key tenant scope[,scope] [plan]" with scopes submit, read and
  // admin; blank lines and lines that start with '#' are skipped.
  static Result<KeyRing> parse(std::string_view text);

  // One more key that may do everything, of tenant "default": the API_KEY variable.
  Status add_admin_key(std::string_view key);

  // A key that the record keeps, by its digest; one that is there already stays as it is.
  void add_digest(std::string digest, jobs::Caller caller);

  std::optional<Holder> find(std::string_view presented_key) const;
  std::size_t size() const { return entries_.size(); }
  // Of the key with this index: below size().
  Holder holder(std::size_t index) const { return {entries_.at(index).caller, index}; }
  const std::string& digest(std::size_t index) const { return entries_.at(index).digest; }

 private:
  struct Entry {
    std::string digest;
    jobs::Caller caller;
  };

  Status add(std::string_view key, jobs::Caller caller);
  bool has(std::string_view digest) const;

  std::vector<Entry> entries_;
};

}  // namespace pytoon::http
