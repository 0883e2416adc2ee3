// The ledger in SQL keeps the contract, on each database.
#include <pqxx/pqxx>

#include "server/io/postgres_database.h"
#include "server/io/sql_promises.h"
#include "server/io/sqlite_database.h"
#include "tests/server/jobs/admission/ledger_contract.h"
#include "tests/support/postgres.h"

namespace pytoon::jobs::admission {
namespace {

using std::chrono::milliseconds;
using testing_support::HandClock;

LedgerUnderTest on(std::shared_ptr<io::SqlDatabase> database, LedgerOptions options) {
  LedgerUnderTest made;
  made.ledger = std::make_unique<io::SqlPromiseLedger>(*database, options);
  made.beneath = std::move(database);
  return made;
}

LedgerUnderTest make_sqlite(HandClock& clock, LedgerOptions options) {
  LedgerUnderTest made = on(io::SqliteDatabase::in_memory(clock).value(), options);
  made.advance = [&clock](milliseconds time) { clock.advance(time); };
  return made;
}

// The database keeps its own time: it goes by when all that was written down moves into the past.
std::string shift_sql(milliseconds time) {
  const std::string by = " - " + std::to_string(std::chrono::microseconds(time).count());
  return "UPDATE promises SET given_at = given_at" + by + ", ends_at = ends_at" + by +
         ", expires_at = expires_at" + by + ", released_at = released_at" + by +
         "; UPDATE gpus SET sampled_at = sampled_at" + by + ", room_asked_at = room_asked_at" + by +
         "; UPDATE gpu_reservations SET expires_at = expires_at" + by;
}

LedgerUnderTest make_postgres(HandClock& /*clock*/, LedgerOptions options) {
  static SystemClock waiting;
  testing_support::PostgresServer& server = testing_support::shared_postgres();
  const std::string connection = server.connection(server.create_database());
  LedgerUnderTest made = on(io::PostgresDatabase::open(connection, waiting, {}).value(), options);
  made.advance = [connection](milliseconds time) {
    pqxx::connection hand(connection);
    pqxx::work work(hand);
    work.exec(shift_sql(time));
    work.commit();
  };
  return made;
}

INSTANTIATE_TEST_SUITE_P(SqlLedgers, LedgerContract,
                         testing::Values(LedgerMaker{"sqlite", make_sqlite},
                                         LedgerMaker{"postgres", make_postgres}),
                         [](const auto& ledger) { return ledger.param.name; });

}  // namespace
}  // namespace pytoon::jobs::admission
