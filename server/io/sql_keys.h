// API keys (jobs/key_store.h) in a SQL database.
//
// Thread rule: any thread. Blocks for a round trip.
#pragma once

#include "server/io/sql.h"
#include "server/jobs/key_store.h"

namespace pytoon::io {

class SqlKeyStore final : public jobs::KeyStore {
 public:
  // The database, its schema up to date, must outlive the store.
  explicit SqlKeyStore(SqlDatabase& database) : database_(database) {}

  Result<std::vector<jobs::ApiKey>> api_keys() override;
  Status add_key(const jobs::ApiKey& key) override;
  Status replace_key(const std::string& id, const jobs::ApiKey& successor, WallTime until) override;
  Result<jobs::ApiKey> revoke_key(const std::string& id, WallTime at) override;
  Status keys_used(const std::vector<std::pair<std::string, WallTime>>& uses) override;

 private:
  SqlDatabase& database_;
};

}  // namespace pytoon::io
