#include "server/io/postgres_pool.h"

namespace pytoon::io {

PostgresPool::Loan PostgresPool::borrow() {
  std::unique_ptr<PostgresConnection> connection;
  {
    std::unique_lock lock(mutex_);
    const bool free =
        returned_.wait_for(lock, options_.wait, [this] { return lent_ < options_.connections; });
    if (!free) {
      throw DatabaseError(FailureKind::kUnavailable, "all connections to the database are in use");
    }
    if (idle_.empty() && away_ && connecting_ > 0) {
      throw DatabaseError(FailureKind::kUnavailable, "the database is away");
    }
    ++lent_;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    } else {
      ++connecting_;
    }
  }
  if (connection == nullptr) connection = connect();
  return Loan(*this, std::move(connection));
}

std::unique_ptr<PostgresConnection> PostgresPool::connect() {
  std::unique_ptr<PostgresConnection> connection;
  const auto tried = [&] {
    const std::lock_guard lock(mutex_);
    --connecting_;
    away_ = connection == nullptr;
  };
  try {
    connection = std::make_unique<PostgresConnection>(connection_, options_.limits);
  } catch (...) {
    tried();
    end_loan(nullptr);
    throw;
  }
  tried();
  return connection;
}

void PostgresPool::end_loan(std::unique_ptr<PostgresConnection> connection) {
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (connection != nullptr) idle_.push_back(std::move(connection));
  }
  returned_.notify_one();
}

void PostgresPool::forget_idle() {
  std::vector<std::unique_ptr<PostgresConnection>> forgotten;
  const std::lock_guard lock(mutex_);
  forgotten.swap(idle_);
}

}  // namespace pytoon::io
