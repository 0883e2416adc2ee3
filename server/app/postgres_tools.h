// PostgreSQL's own programs for copies of a whole database: pg_dump and pg_restore, custom format.
// The password goes to them in the environment, never on the command line, which others can read.
//
// Thread rule: one thread. Blocks until the program ends. Errors: kUnavailable (the program is
// missing, or said no; what it said is on standard error).
#pragma once

#include <filesystem>

#include "base/result.h"
#include "server/io/database_url.h"

namespace pytoon::app {

Status dump_postgres(const io::DatabaseUrl& url, const std::filesystem::path& file);
// Whether pg_restore can read the dump; no database is asked.
Status read_postgres_dump(const std::filesystem::path& file);
// Into an empty database, in one transaction.
Status load_postgres(const io::DatabaseUrl& url, const std::filesystem::path& file);

}  // namespace pytoon::app
