#include "server/io/postgres_restore.h"

#include <pqxx/pqxx>

#include "server/io/postgres_errors.h"

namespace pytoon::io {
namespace {

// Collected before anything is dropped: a function that went with its table has no name any more.
// A sequence may be a column's own, so it comes after the tables.
constexpr const char* kDropAll = R"(
DO $$
DECLARE
  command  text;
  commands text[];
BEGIN
  SELECT array_agg(found.command ORDER BY found.place) INTO commands FROM (
    SELECT CASE relkind WHEN 'v' THEN 1 WHEN 'm' THEN 1 WHEN 'S' THEN 3 ELSE 2 END AS place,
           format('DROP %s IF EXISTS %I.%I CASCADE',
                  CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                               WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                  current_schema(), relname) AS command, oid, 'pg_class'::regclass AS catalogue
      FROM pg_class
      WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
        AND relowner = current_user::regrole
    UNION ALL
    SELECT 4, format('DROP ROUTINE IF EXISTS %s CASCADE', oid::regprocedure), oid, 'pg_proc'
      FROM pg_proc
      WHERE pronamespace = current_schema()::regnamespace AND proowner = current_user::regrole
    UNION ALL
    SELECT 5, format('DROP TYPE IF EXISTS %I.%I CASCADE', current_schema(), typname), oid,
           'pg_type'
      FROM pg_type
      WHERE typnamespace = current_schema()::regnamespace AND typtype IN ('e', 'd')
        AND typowner = current_user::regrole) AS found
  WHERE NOT EXISTS (SELECT FROM pg_depend
                    WHERE objid = found.oid AND classid = found.catalogue AND deptype = 'e');
  FOREACH command IN ARRAY coalesce(commands, '{}') LOOP
    EXECUTE command;
  END LOOP;
END $$)";

constexpr const char* kTables =
    "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace "
    "AND relkind IN ('r', 'p') AND relowner = current_user::regrole";

bool has_table(pqxx::work& transaction, const std::string& name) {
  return transaction.exec1("SELECT to_regclass('" + name + "') IS NOT NULL")[0].as<bool>();
}

template <typename Body>
auto guarded_by(const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (...) {
    const PostgresTrouble trouble = understand(std::current_exception());
    return failure(trouble.kind, trouble.text);
  }
}

}  // namespace

Result<PostgresContents> look_into_postgres(const std::string& connection,
                                            std::chrono::seconds seen_within) {
  return guarded_by([&]() -> Result<PostgresContents> {
    pqxx::connection session(connection);
    pqxx::work transaction(session);
    PostgresContents contents;
    if (transaction.exec1(kTables)[0].as<int>() > 0) {
      contents.empty = has_table(transaction, "jobs") &&
                       transaction.exec1("SELECT NOT EXISTS (SELECT FROM jobs)")[0].as<bool>();
    }
    if (has_table(transaction, "workers")) {
      contents.workers = transaction
                             .exec1(
                                 "SELECT count(*) FROM workers WHERE seen_at > (extract(epoch FROM "
                                 "clock_timestamp()) - " +
                                 std::to_string(seen_within.count()) + ") * 1000000")[0]
                             .as<int>();
    }
    return contents;
  });
}

Status empty_postgres(const std::string& connection) {
  return guarded_by([&]() -> Status {
    pqxx::connection session(connection);
    pqxx::work transaction(session);
    transaction.exec(kDropAll);
    transaction.commit();
    return ok_status();
  });
}

}  // namespace pytoon::io
