// One connection to PostgreSQL and the statements it has prepared. It never reconnects on its own:
// who loses it throws it away.
//
// Thread rule: one thread at a time. Blocks on the network, at worst for the time limits of its
// session. Throws libpqxx's exceptions.
#pragma once

#include <map>
#include <pqxx/pqxx>
#include <string>

#include "server/io/postgres_options.h"
#include "server/io/sql.h"

namespace pytoon::io {

class PostgresConnection {
 public:
  // `connection`: see DatabaseUrl.
  PostgresConnection(const std::string& connection, const PostgresLimits& limits);

  pqxx::connection& raw() { return connection_; }
  pqxx::result run(pqxx::transaction_base& transaction, std::string_view sql,
                   std::span<const Param> params);

 private:
  const std::string& prepared(std::string_view sql);

  pqxx::connection connection_;
  pqxx::quiet_errorhandler quiet_{connection_};  // notices don't belong on our standard error
  std::map<std::string, std::string, std::less<>> names_;
};

// A text of ours (sql.h) as PostgreSQL reads it: $1 for the first ?, braces taken off.
std::string for_postgres(std::string_view sql);
// PostgreSQL refuses text that is no UTF-8 or has a zero in it: what is broken becomes U+FFFD.
std::string as_utf8(std::string_view text);

class PostgresSession final : public SqlSession {
 public:
  PostgresSession(PostgresConnection& connection, pqxx::transaction_base& transaction)
      : connection_(connection), transaction_(transaction) {}

  Rows query_with(std::string_view sql, std::span<const Param> params) override;
  std::int64_t run_with(std::string_view sql, std::span<const Param> params) override;
  std::int64_t now() override;
  std::int64_t next_epoch() override;

 private:
  PostgresConnection& connection_;
  pqxx::transaction_base& transaction_;
  std::int64_t now_ = 0;
};

}  // namespace pytoon::io
