#include "server/io/postgres_database.h"

#include <algorithm>

#include "server/io/postgres_errors.h"
#include "server/io/sql_records.h"

namespace pytoon::io {
namespace {

constexpr int kTurns = 8;
constexpr BackoffLimits kBackoff{std::chrono::milliseconds(10), std::chrono::milliseconds(320)};
constexpr std::chrono::minutes kMigrationLimit{20};  // beyond its statements' own limits
// Any number, the same for all processes: who holds it migrates.
constexpr std::int64_t kMigrationLock = 7'069'746'155;

Status migrate_in(SqlSession& session, pqxx::work& transaction,
                  const std::vector<Migration>& steps) {
  session.query("SELECT set_config('lock_timeout', '60s', true)");
  session.query("SELECT set_config('statement_timeout', '600s', true)");
  session.query("SELECT pg_advisory_xact_lock(?)", {kMigrationLock});
  const std::string encoding = session.query("SHOW server_encoding").at(0).text(0);
  if (encoding != "UTF8") {
    return failure(FailureKind::kConflict,
                   "the database keeps text as " + encoding +
                       ": create it WITH ENCODING 'UTF8' TEMPLATE template0");
  }
  session.run(
      "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT PRIMARY KEY, "
      "name TEXT NOT NULL, applied_at TEXT NOT NULL)");
  const std::int64_t present =
      session.query("SELECT coalesce(max(version), 0) FROM schema_migrations").at(0).integer(0);
  if (Status known = check_schema(present, steps); !known) return known;
  for (const Migration& step : steps) {
    if (step.version <= present) continue;
    transaction.exec(step.sql);
    session.run("INSERT INTO schema_migrations VALUES (?, ?, ?)",
                {step.version, step.name, iso8601(time_from(session.now()))});
  }
  return ok_status();
}

[[noreturn]] void refuse(const PostgresTrouble& trouble) {
  throw DatabaseError(trouble.kind, trouble.text);
}

}  // namespace

Result<std::unique_ptr<PostgresDatabase>> PostgresDatabase::open(const std::string& connection,
                                                                 Clock& clock,
                                                                 const PostgresOptions& options) {
  auto database = std::make_unique<PostgresDatabase>(connection, clock, options);
  const Status migrated = database->migrate(postgres_migrations());
  if (!migrated) return migrated.failure();
  return database;
}

// `body` borrows a connection, uses it and keeps it when all went well.
template <typename Body>
void PostgresDatabase::persistently(const Body& body) {
  bool was_broken = false;
  Backoff backoff(kBackoff, seed_ + calls_++);
  for (int tries = 0;;) {
    PostgresTrouble trouble;
    try {
      return body();
    } catch (const DatabaseError&) {
      throw;
    } catch (...) {
      trouble = understand(std::current_exception());
    }
    if (trouble.trouble == Trouble::kTurnLost && ++tries < kTurns) {
      clock_.sleep_for(backoff.next());
      continue;
    }
    const bool gone = trouble.trouble == Trouble::kBroken || trouble.trouble == Trouble::kInDoubt;
    if (gone) pool_.forget_idle();
    if (trouble.trouble != Trouble::kBroken || was_broken) refuse(trouble);
    was_broken = true;
  }
}

void PostgresDatabase::read(const Reading& body) {
  persistently([&] {
    PostgresPool::Loan connection = pool_.borrow();
    const auto watch = deadlines_.watch(connection->raw().sock(), call_limit_);
    pqxx::nontransaction transaction(connection->raw());
    PostgresSession session(*connection, transaction, PostgresSession::Use::kReading, clock_);
    body(session);
    connection.keep();
  });
}

template <typename Body>
void PostgresDatabase::transact(std::chrono::milliseconds limit, const Body& body) {
  persistently([&] {
    PostgresPool::Loan connection = pool_.borrow();
    const auto watch = deadlines_.watch(connection->raw().sock(), limit);
    pqxx::work transaction(connection->raw());
    PostgresSession session(*connection, transaction, PostgresSession::Use::kWriting, clock_);
    if (body(session, transaction)) {
      transaction.commit();
    } else {
      transaction.abort();
    }
    connection.keep();
  });
}

void PostgresDatabase::write(const Writing& body) {
  transact(call_limit_,
           [&](SqlSession& session, pqxx::work& /*transaction*/) { return body(session); });
}

Status PostgresDatabase::writable() {
  bool takes_writes = false;
  try {
    read([&](SqlSession& session) {
      takes_writes = !session
                          .query(
                              "SELECT 1 WHERE NOT pg_is_in_recovery() AND "
                              "current_setting('transaction_read_only') = 'off'")
                          .empty();
    });
  } catch (const DatabaseError& error) {
    return failure(error.kind(), error.what());
  }
  if (takes_writes) return ok_status();
  return failure(FailureKind::kUnavailable, "the database is a read-only copy");
}

Status PostgresDatabase::migrate(const std::vector<Migration>& steps) {
  Status outcome = ok_status();
  try {
    transact(kMigrationLimit, [&](SqlSession& session, pqxx::work& transaction) {
      outcome = migrate_in(session, transaction, steps);
      return outcome.ok();
    });
  } catch (const DatabaseError& error) {
    return failure(error.kind(), error.what());
  }
  return outcome;
}

}  // namespace pytoon::io
