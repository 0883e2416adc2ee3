// The promise ledger (jobs/admission/promise_ledger.h) in a SQL database: shared by all processes
// of a fleet on PostgreSQL, by the threads of one process on SQLite. Each call is one transaction;
// what is judged about a card is judged after its row in `gpus` was locked and by a time that was
// read after that.
//
// Thread rule: any thread. Blocks for the row's lock and a few round trips.
#pragma once

#include "server/io/sql.h"
#include "server/jobs/admission/ledger_row.h"

namespace pytoon::io {

class SqlPromiseLedger final : public jobs::admission::PromiseLedger {
 public:
  // The database, its schema up to date, must outlive the ledger.
  SqlPromiseLedger(SqlDatabase& database, jobs::admission::LedgerOptions options)
      : database_(database), options_(options) {}

  Result<WallTime> now() override;
  Result<jobs::admission::Published> publish(const std::string& gpu,
                                             const jobs::admission::Sample& sample) override;
  Result<jobs::admission::GpuState> state(const std::string& gpu) override;
  Result<std::vector<jobs::admission::GpuState>> states() override;
  Result<jobs::admission::Granted> promise(const jobs::admission::Wish& wish) override;
  Result<std::optional<jobs::admission::Refusal>> resize(const jobs::admission::Promise& promise,
                                                         jobs::admission::Bytes bytes) override;
  Result<std::vector<jobs::admission::Promise>> renew(
      const std::vector<jobs::admission::Promise>& promises) override;
  Status release(const jobs::admission::Promise& promise) override;
  Status reserve(const std::string& gpu, const std::string& task, jobs::admission::Bytes bytes,
                 std::chrono::milliseconds duration) override;
  Status unreserve(const std::string& task) override;
  Status begin_room(const std::string& gpu, const std::string& task,
                    std::chrono::milliseconds interval) override;
  Status end_room(const std::string& gpu) override;
  Result<std::vector<jobs::admission::Promise>> expire() override;

 private:
  // A transaction with the card's row, locked; kNotFound when there is none.
  template <typename Body>
  auto locked(const std::string& gpu, const Body& body)
      -> decltype(body(std::declval<SqlSession&>(), std::declval<jobs::admission::LedgerRow&>()));

  SqlDatabase& database_;
  const jobs::admission::LedgerOptions options_;
};

}  // namespace pytoon::io
