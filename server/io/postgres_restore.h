// What restoring a backup asks of a PostgreSQL database whose schema may be a newer program's:
// nothing is migrated here, and no table is taken for granted.
//
// Thread rule: any thread, blocks. kUnavailable while the database is away.
#pragma once

#include <chrono>
#include <string>

#include "base/result.h"

namespace pytoon::io {

struct PostgresContents {
  bool empty = true;  // of tables that the user owns, or all of them Pytoon's and without a job
  int workers = 0;    // that were seen lately
};

// `connection`: DatabaseUrl's login.
Result<PostgresContents> look_into_postgres(const std::string& connection,
                                            std::chrono::seconds seen_within);

// Drops what the user owns in the schema that its tables are made in: tables, views, sequences,
// functions and types, those of extensions excepted. All of it in one transaction, or nothing.
Status empty_postgres(const std::string& connection);

}  // namespace pytoon::io
