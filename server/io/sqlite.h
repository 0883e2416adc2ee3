// SQLite's C interface with owners for its handles: a connection, a statement, a transaction.
// Inside this room a refusing database is a SqliteError; guarded() turns it into a Failure at the
// edge.
//
// Thread rule: one thread at a time per Database and its statements.
// Source: sqlite.org/c3ref/intro.html
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pytoon::io {

class SqliteError : public std::runtime_error {
 public:
  SqliteError(FailureKind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  FailureKind kind() const { return kind_; }

 private:
  FailureKind kind_;
};

class Statement {
 public:
  explicit Statement(sqlite3_stmt* prepared) : prepared_(prepared, &sqlite3_finalize) {}

  // Binds all parameters in order, from the first.
  template <typename... Values>
  Statement& bind(const Values&... values) {
    int index = 0;
    (bind_at(++index, values), ...);
    return *this;
  }
  // Binds one, 1-based, for queries put together at run time.
  void bind_at(int index, std::int64_t value);
  void bind_at(int index, int value) { bind_at(index, std::int64_t{value}); }
  void bind_at(int index, double value);
  void bind_at(int index, std::string_view text);

  bool step();   // true: there is a row
  void reset();  // ends the reading and forgets what was bound

  std::int64_t integer(int column) const;
  double number(int column) const;
  std::string text(int column) const;  // "" for NULL
  bool is_null(int column) const;

 private:
  std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> prepared_;
};

// A statement kept by its Database, reset when its user is done.
class Prepared {
 public:
  explicit Prepared(Statement& statement) : statement_(statement) {}
  ~Prepared() { statement_.reset(); }
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;
  Statement* operator->() const { return &statement_; }

 private:
  Statement& statement_;
};

class Database {
 public:
  enum class Access { kRead, kWrite };
  // Opens, and creates when writing. Throws.
  Database(const std::filesystem::path& path, Access access,
           std::chrono::milliseconds busy_timeout);

  void run(const char* sql);  // any number of statements, no results
  Statement prepare(const char* sql);
  Prepared use(const char* sql);  // prepared once; sql must be a literal
  std::int64_t changed_rows() const;

 private:
  [[noreturn]] void fail(const std::string& what) const;

  std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)> handle_{nullptr, &sqlite3_close_v2};
  std::map<const char*, Statement> kept_;
};

// BEGIN IMMEDIATE; rolls back unless committed.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

template <typename Work>
auto guarded(const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const SqliteError& error) {
    return failure(error.kind(), error.what());
  }
}

}  // namespace pytoon::io
