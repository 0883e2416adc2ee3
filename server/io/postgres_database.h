// PostgreSQL as the database of a fleet: several processes on several hosts share it. Time is the
// database's own.
//
// A transaction that PostgreSQL undid for the sake of others (a deadlock, a serialization failure)
// is tried again a few times, after a growing pause. A connection that breaks is thrown away;
// whatever was not yet being committed is tried once more on a fresh one. A commit whose answer was
// lost is kUnavailable: it may or may not have happened. A database that is away is kUnavailable
// until it is back; nothing needs to be restarted then. So is one that is frozen, or too slow: a
// call takes PostgresLimits::call at most, and once more to connect anew.
//
// Not for poolers that share a connection between transactions: statements are prepared.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/ids.h"
#include "server/io/migrations.h"
#include "server/io/postgres_pool.h"
#include "server/io/socket_deadlines.h"

namespace pytoon::io {

class PostgresDatabase final : public SqlDatabase {
 public:
  // Brings the schema up to date; several processes may do so at once. kConflict when it is newer
  // than this program, or when the database does not keep text as UTF-8.
  static Result<std::unique_ptr<PostgresDatabase>> open(const std::string& connection, Clock& clock,
                                                        const PostgresOptions& options);
  PostgresDatabase(const std::string& connection, Clock& clock, const PostgresOptions& options)
      : call_limit_(options.limits.call),
        pool_(connection, options),
        clock_(clock),
        seed_(seed_from(RandomIds().next())) {}

  void read(const Reading& body) override;
  void write(const Writing& body) override;
  Status writable() override;
  bool sole_owner() const override { return false; }
  Status migrate(const std::vector<Migration>& steps);

 private:
  template <typename Body>
  void persistently(const Body& body);
  template <typename Body>
  void transact(std::chrono::milliseconds limit, const Body& body);

  const std::chrono::milliseconds call_limit_;
  SocketDeadlines deadlines_;
  PostgresPool pool_;
  Clock& clock_;
  const std::uint64_t seed_;  // of back-offs: those of two processes that met must differ
  std::atomic<std::uint64_t> calls_{0};
};

}  // namespace pytoon::io
