#include "server/io/sqlite.h"

#include <cerrno>

namespace pytoon::io {
namespace {

FailureKind kind_of(sqlite3* handle, int code) {
  const int system_error = sqlite3_system_errno(handle);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return FailureKind::kStorageFull;
    case SQLITE_IOERR:
      return system_error == ENOSPC || system_error == EDQUOT ? FailureKind::kStorageFull
                                                              : FailureKind::kIo;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
      return FailureKind::kUnavailable;
    case SQLITE_NOMEM:
      return FailureKind::kOutOfMemory;
    default:
      return FailureKind::kInternal;
  }
}

// SQLITE_TRANSIENT, whose macro is an old-style cast: SQLite copies the text.
sqlite3_destructor_type transient_text() {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
  return SQLITE_TRANSIENT;
#pragma GCC diagnostic pop
}

[[noreturn]] void raise(sqlite3* handle, const std::string& what) {
  const int code = sqlite3_extended_errcode(handle);
  throw SqliteError(kind_of(handle, code), "database: " + what + ": " + sqlite3_errmsg(handle));
}

}  // namespace

void Statement::bind_at(int index, std::int64_t value) {
  if (sqlite3_bind_int64(prepared_.get(), index, value) != SQLITE_OK) {
    raise(sqlite3_db_handle(prepared_.get()), "can't bind a number");
  }
}

void Statement::bind_at(int index, double value) {
  if (sqlite3_bind_double(prepared_.get(), index, value) != SQLITE_OK) {
    raise(sqlite3_db_handle(prepared_.get()), "can't bind a number");
  }
}

void Statement::bind_at(int index, std::string_view text) {
  const char* const start = text.data() == nullptr ? "" : text.data();
  if (sqlite3_bind_text64(prepared_.get(), index, start, text.size(), transient_text(),
                          SQLITE_UTF8) != SQLITE_OK) {
    raise(sqlite3_db_handle(prepared_.get()), "can't bind a text");
  }
}

bool Statement::step() {
  const int code = sqlite3_step(prepared_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  raise(sqlite3_db_handle(prepared_.get()), sqlite3_sql(prepared_.get()));
}

void Statement::reset() {
  sqlite3_reset(prepared_.get());
  sqlite3_clear_bindings(prepared_.get());
}

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(prepared_.get(), column);
}

double Statement::number(int column) const {
  return sqlite3_column_double(prepared_.get(), column);
}

std::string Statement::text(int column) const {
  const unsigned char* const bytes = sqlite3_column_text(prepared_.get(), column);
  const int size = sqlite3_column_bytes(prepared_.get(), column);
  if (bytes == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(prepared_.get(), column) == SQLITE_NULL;
}

Database::Database(const std::filesystem::path& path, Access access,
                   std::chrono::milliseconds busy_timeout) {
  const int flags =
      access == Access::kRead ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  handle_.reset(opened);
  if (code != SQLITE_OK) fail("can't open " + path.string());
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_timeout(opened, static_cast<int>(busy_timeout.count()));
}

void Database::fail(const std::string& what) const { raise(handle_.get(), what); }

void Database::run(const char* sql) {
  if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    fail("can't run a statement");
  }
}

Statement Database::prepare(const char* sql) {
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(handle_.get(), sql, -1, &prepared, nullptr) != SQLITE_OK) {
    fail(std::string("can't prepare ") + sql);
  }
  return Statement(prepared);
}

Prepared Database::use(const char* sql) {
  auto found = kept_.find(sql);
  if (found == kept_.end()) found = kept_.emplace(sql, prepare(sql)).first;
  return Prepared(found->second);
}

std::int64_t Database::changed_rows() const { return sqlite3_changes64(handle_.get()); }

Transaction::Transaction(Database& database) : database_(database) {
  database_.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const SqliteError&) {
    // SQLite has rolled back already: a full disk does that.
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace pytoon::io
