// Makes, changes and ends the API keys that the record keeps. Every process that takes requests
// learns of it within seconds (server/app/key_book.h).
//
// Thread rule: any thread. Blocks on the database for milliseconds.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/log.h"
#include "server/jobs/key_store.h"

namespace pytoon::jobs {

class KeyRegistry {
 public:
  // All must outlive it.
  KeyRegistry(KeyStore& store, IdSource& ids, const Clock& clock, Log& log)
      : store_(store), ids_(ids), clock_(clock), log_(log) {}

  // kInvalid, with pointers into the body of the request, for a tenant that is no plain name, no
  // scope, a lifetime that is none. `by` is the tenant whose key ordered it, for the log.
  Result<NewKey> create(const KeyOrder& order, const std::string& by);
  Result<std::vector<ApiKey>> list();
  // A new key with the same rights and the same end; the old one goes on for `grace`. kNotFound,
  // kConflict when it was revoked.
  Result<NewKey> rotate(const std::string& id, std::chrono::seconds grace, const std::string& by);
  Result<ApiKey> revoke(const std::string& id, const std::string& by);

 private:
  NewKey make(ApiKey rights);
  ApiKey as_of_now(ApiKey key) const;

  KeyStore& store_;
  IdSource& ids_;
  const Clock& clock_;
  Log& log_;
};

// 1 to 64 letters, digits, '-', '_' and '.'.
bool is_tenant_name(std::string_view name);

}  // namespace pytoon::jobs
