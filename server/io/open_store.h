// Opens the record: brings the schema of the database up to date and puts the store on it.
// kConflict when another process owns the file, or the schema is newer than this program; the
// database is not touched then. kUnavailable while PostgreSQL is away or another process migrates,
// kStorageFull and kIo of the disk.
//
// Thread rule: from one thread, at the start; the stores may then be used from any. Blocks: some
// ten milliseconds, for migrations of a large database minutes. The clock must outlive the store,
// which closes its connections and its file when it goes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "server/io/postgres_options.h"
#include "server/io/sql_store.h"
#include "server/io/sqlite_database.h"

namespace pytoon::io {

// The embedded database, for one process.
Result<std::unique_ptr<SqlStore>> open_sqlite_store(const std::filesystem::path& file, Clock& clock,
                                                    const SqliteOptions& database = {},
                                                    StoreOptions options = {});
// PostgreSQL, shared by a fleet. `connection`: DatabaseUrl's. kUnavailable while it is away.
Result<std::unique_ptr<SqlStore>> open_postgres_store(const std::string& connection, Clock& clock,
                                                      const PostgresOptions& database = {},
                                                      StoreOptions options = {});
// Nothing outlives the process. Aborts when even that fails: memory is out.
std::unique_ptr<SqlStore> open_memory_store(Clock& clock, StoreOptions options = {});

}  // namespace pytoon::io
