// The connections of one process to PostgreSQL: opened when needed, so many at most, kept for the
// next one. One that its user does not give back is closed.
//
// A server that could not be reached is asked by one caller at a time until it is: the others fail
// at once instead of waiting for the same silence, each with a thread of ours.
//
// Thread rule: any thread.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "server/io/postgres_connection.h"

namespace pytoon::io {

class PostgresPool {
 public:
  // A connection on loan; its place is free again when the loan ends.
  class Loan {
   public:
    Loan(PostgresPool& pool, std::unique_ptr<PostgresConnection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    ~Loan() { pool_.end_loan(keep_ ? std::move(connection_) : nullptr); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    PostgresConnection& operator*() const { return *connection_; }
    PostgresConnection* operator->() const { return connection_.get(); }
    void keep() { keep_ = true; }  // it works: for the next one

   private:
    PostgresPool& pool_;
    std::unique_ptr<PostgresConnection> connection_;
    bool keep_ = false;
  };

  PostgresPool(std::string connection, const PostgresOptions& options)
      : connection_(std::move(connection)), options_(options) {}

  // Throws DatabaseError when all stay in use, libpqxx's exceptions when it can't connect.
  Loan borrow();
  // Closes those not in use: one of them was found broken, so the others are suspect.
  void forget_idle();

 private:
  std::unique_ptr<PostgresConnection> connect();
  void end_loan(std::unique_ptr<PostgresConnection> connection);

  const std::string connection_;
  const PostgresOptions options_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<PostgresConnection>> idle_;
  int lent_ = 0;
  int connecting_ = 0;
  bool away_ = false;  // the last one who tried could not connect
};

}  // namespace pytoon::io
