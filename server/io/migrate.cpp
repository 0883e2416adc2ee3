#include "server/io/migrations.h"
#include "server/io/sqlite.h"

namespace pytoon::io {

Status check_schema(std::int64_t present, const std::vector<Migration>& steps) {
  if (present <= steps.back().version) return ok_status();
  return failure(FailureKind::kConflict,
                 "the database has schema " + std::to_string(present) + ", this program knows " +
                     std::to_string(steps.back().version) + ": run a newer Pytoon");
}

Status migrate(Database& database, const std::vector<Migration>& steps, const Clock& clock) {
  return guarded([&]() -> Status {
    database.run(
        "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, "
        "name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT");
    Statement newest = database.prepare("SELECT coalesce(max(version), 0) FROM schema_migrations");
    newest.step();
    const std::int64_t present = newest.integer(0);
    newest.reset();
    if (Status known = check_schema(present, steps); !known) return known;
    for (const Migration& step : steps) {
      if (step.version <= present) continue;
      Transaction transaction(database);
      database.run(step.sql.c_str());
      Statement record = database.prepare("INSERT INTO schema_migrations VALUES (?, ?, ?)");
      record.bind(step.version, step.name, iso8601(clock.now())).step();
      transaction.commit();
    }
    return ok_status();
  });
}

}  // namespace pytoon::io
