#include "server/io/open_store.h"

namespace pytoon::io {

Result<std::unique_ptr<SqlStore>> open_sqlite_store(const std::filesystem::path& file, Clock& clock,
                                                    const SqliteOptions& database,
                                                    StoreOptions options) {
  Result<std::unique_ptr<SqliteDatabase>> opened = SqliteDatabase::open(file, clock, database);
  if (!opened) return opened.failure();
  return std::make_unique<SqlStore>(std::move(*opened), clock, std::move(options));
}

std::unique_ptr<SqlStore> open_memory_store(Clock& clock, StoreOptions options) {
  return std::make_unique<SqlStore>(SqliteDatabase::in_memory(clock).value(), clock,
                                    std::move(options));
}

}  // namespace pytoon::io
