// One connection to PostgreSQL and the statements it has prepared. It never reconnects on its own:
// who loses it throws it away.
//
// Thread rule: one thread at a time. Blocks on the network, at worst for the time limits of its
// session. Throws libpqxx's exceptions.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <pqxx/pqxx>
#include <string>

#include "base/clock.h"
#include "server/io/postgres_options.h"
#include "server/io/sql.h"

namespace pytoon::io {

// The clock of a server by ours: what it said, and when we knew.
struct ServerClock {
  std::int64_t micros = 0;
  SteadyTime at;
};

class PostgresConnection {
 public:
  // `connection`: see DatabaseUrl.
  PostgresConnection(const std::string& connection, const PostgresLimits& limits);

  pqxx::connection& raw() { return connection_; }
  pqxx::result run(pqxx::transaction_base& transaction, std::string_view sql,
                   std::span<const Param> params);

  // As last asked by a session; nullopt before.
  std::optional<ServerClock> server_clock;

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
  // For writing, now() asks the server. For reading it is reckoned from what the connection's
  // server said within the last kClockLife, which costs no round trip.
  enum class Use { kReading, kWriting };
  static constexpr std::chrono::seconds kClockLife{5};

  PostgresSession(PostgresConnection& connection, pqxx::transaction_base& transaction, Use use,
                  Clock& clock)
      : connection_(connection), transaction_(transaction), use_(use), clock_(clock) {}

  Rows query_with(std::string_view sql, std::span<const Param> params) override;
  std::int64_t run_with(std::string_view sql, std::span<const Param> params) override;
  std::int64_t now() override;
  std::int64_t next_epoch() override;

 private:
  void learn_clock(std::int64_t micros);

  PostgresConnection& connection_;
  pqxx::transaction_base& transaction_;
  const Use use_;
  Clock& clock_;
  std::int64_t now_ = 0;
};

}  // namespace pytoon::io
