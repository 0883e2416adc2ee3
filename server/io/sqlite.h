// SQLite's C interface with owners for its handles: a connection, a statement, a transaction. A
// refusal is a DatabaseError; guarded() turns it into a Failure.
//
// Thread rule: one thread at a time per Database and its statements.
// Source: sqlite.org/c3ref/intro.html
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "server/io/sql.h"

namespace pytoon::io {

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
  void bind_param(int index, const Param& param);

  bool step();   // true: there is a row
  void reset();  // ends the reading and forgets what was bound

  std::int64_t integer(int column) const;
  double number(int column) const;
  std::string text(int column) const;  // "" for NULL
  bool is_null(int column) const;
  Row row() const;  // all columns, copied

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
  Prepared use(std::string_view sql);  // prepared once and kept
  std::int64_t changed_rows() const;

 private:
  [[noreturn]] void fail(const std::string& what) const;

  std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)> handle_{nullptr, &sqlite3_close_v2};
  std::map<std::string, Statement, std::less<>> kept_;
};

// Rolls back unless committed. A writing one takes the write lock at its start (BEGIN IMMEDIATE),
// so that it never has to give up half way.
class Transaction {
 public:
  enum class Kind { kWrite, kSnapshot };
  explicit Transaction(Database& database, Kind kind = Kind::kWrite);
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
  } catch (const DatabaseError& error) {
    return failure(error.kind(), error.what());
  }
}

}  // namespace pytoon::io
