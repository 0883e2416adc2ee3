// What the store needs of a database: transactions in which one set of SQL texts runs on SQLite and
// on PostgreSQL alike. In a text `?` is a parameter, and what stands in {braces} is for PostgreSQL
// only: SELECT ... WHERE id = ? {FOR UPDATE}. Texts are prepared once a connection and kept, so
// they must be few: never put a value into one.
//
// Inside this room a refusing database is a DatabaseError; the store turns it into a Failure at its
// edge. Times are microseconds since 1970.
//
// Thread rule: a SqlDatabase from any thread; a SqlSession only inside the call that was given it.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace pytoon::io {

class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(FailureKind kind, const std::string& what)
      : std::runtime_error(what), kind_(kind) {}
  FailureKind kind() const { return kind_; }

 private:
  FailureKind kind_;
};

using Null = std::monostate;
// What a parameter is made of; a text must live until the call returns.
using Param = std::variant<Null, std::int64_t, double, std::string_view>;
using Value = std::variant<Null, std::int64_t, double, std::string>;

// One row of an answer; columns count from 0.
class Row {
 public:
  explicit Row(std::vector<Value> values) : values_(std::move(values)) {}

  bool is_null(std::size_t column) const {
    return std::holds_alternative<Null>(values_.at(column));
  }
  // 0 for NULL; numbers of either kind.
  std::int64_t integer(std::size_t column) const;
  int small(std::size_t column) const { return static_cast<int>(integer(column)); }
  double number(std::size_t column) const;
  // "" for NULL.
  const std::string& text(std::size_t column) const;

 private:
  std::vector<Value> values_;
};

using Rows = std::vector<Row>;

// "?, ?, ?": so many parameters of one list, at least one.
std::string parameters(std::size_t count);

class SqlSession {
 public:
  virtual ~SqlSession() = default;

  Rows query(std::string_view sql, std::initializer_list<Param> params = {}) {
    return query_with(sql, {params.begin(), params.size()});
  }
  // Rows changed.
  std::int64_t run(std::string_view sql, std::initializer_list<Param> params = {}) {
    return run_with(sql, {params.begin(), params.size()});
  }
  virtual Rows query_with(std::string_view sql, std::span<const Param> params) = 0;
  virtual std::int64_t run_with(std::string_view sql, std::span<const Param> params) = 0;

  // The time by which leases are judged; stands still within a transaction.
  virtual std::int64_t now() = 0;
  // The next fencing number: greater than all given out before.
  virtual std::int64_t next_epoch() = 0;
};

class SqlDatabase {
 public:
  using Reading = std::function<void(SqlSession&)>;
  using Writing = std::function<bool(SqlSession&)>;

  virtual ~SqlDatabase() = default;

  // May run `body` again on another connection.
  virtual void read(const Reading& body) = 0;
  // One transaction, committed when `body` says true, else undone. It may run again after it was
  // undone for the sake of others (PostgreSQL: a deadlock). Throws kUnavailable also when the
  // commit's answer was lost.
  virtual void write(const Writing& body) = 0;
  // Whether a write would be taken: room on its disk, and not a read-only copy. Writes nothing.
  virtual Status writable() = 0;
  // No other process can be in it while this one is.
  virtual bool sole_owner() const = 0;
};

}  // namespace pytoon::io
