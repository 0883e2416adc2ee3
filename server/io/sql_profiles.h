// The profiles of workflows (jobs/admission/profile_store.h) in a SQL database.
//
// Thread rule: any thread. Blocks for a round trip.
#pragma once

#include "server/io/sql.h"
#include "server/jobs/admission/profile_store.h"

namespace pytoon::io {

class SqlProfileStore final : public jobs::admission::ProfileStore {
 public:
  // The database, its schema up to date, must outlive the store.
  explicit SqlProfileStore(SqlDatabase& database) : database_(database) {}

  Result<jobs::admission::Profile> profile(const jobs::admission::Profile& prior) override;
  Result<jobs::admission::Profile> learn(const jobs::admission::Profile& prior,
                                         const jobs::admission::Observation& observation,
                                         const jobs::admission::ProfileOptions& options) override;

 private:
  SqlDatabase& database_;
};

}  // namespace pytoon::io
