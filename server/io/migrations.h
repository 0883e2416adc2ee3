// The schemas of the two databases, as forward steps. Each is applied once, in a transaction of its
// own, and recorded in schema_migrations.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pytoon::io {

class Database;

struct Migration {
  int version = 0;
  std::string name;
  std::string sql;
};

// In order of version. The texts are server/io/migrations/*/*.sql, built into the program.
const std::vector<Migration>& sqlite_migrations();
const std::vector<Migration>& postgres_migrations();

// kConflict when the database is of a newer program than these steps.
Status check_schema(std::int64_t present, const std::vector<Migration>& steps);

// Brings the schema up to date. kConflict when the database is of a newer program: nothing is
// touched then.
Status migrate(Database& database, const std::vector<Migration>& steps, const Clock& clock);

}  // namespace pytoon::io
