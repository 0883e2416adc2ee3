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

// What stands in braces is for PostgreSQL (sql.h).
std::string without_braces(std::string_view sql) {
  std::string text;
  bool inside = false;
  for (const char c : sql) {
    if (c == '{') inside = true;
    if (!inside) text += c;
    if (c == '}') inside = false;
  }
  return text;
}

[[noreturn]] void raise(sqlite3* handle, const std::string& what) {
  const int code = sqlite3_extended_errcode(handle);
  throw DatabaseError(kind_of(handle, code), "database: " + what + ": " + sqlite3_errmsg(handle));
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

void Statement::bind_param(int index, const Param& param) {
  if (const auto* whole = std::get_if<std::int64_t>(&param)) return bind_at(index, *whole);
  if (const auto* real = std::get_if<double>(&param)) return bind_at(index, *real);
  if (const auto* text = std::get_if<std::string_view>(&param)) return bind_at(index, *text);
  if (sqlite3_bind_null(prepared_.get(), index) != SQLITE_OK) {
    raise(sqlite3_db_handle(prepared_.get()), "can't bind a null");
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

Row Statement::row() const {
  const int columns = sqlite3_column_count(prepared_.get());
  std::vector<Value> values;
  values.reserve(static_cast<std::size_t>(columns));
  for (int i = 0; i < columns; ++i) {
    switch (sqlite3_column_type(prepared_.get(), i)) {
      case SQLITE_INTEGER:
        values.emplace_back(integer(i));
        break;
      case SQLITE_FLOAT:
        values.emplace_back(number(i));
        break;
      case SQLITE_NULL:
        values.emplace_back(Null{});
        break;
      default:
        values.emplace_back(text(i));
    }
  }
  return Row(std::move(values));
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

Prepared Database::use(std::string_view sql) {
  auto found = kept_.find(sql);
  if (found == kept_.end()) {
    Statement prepared = prepare(without_braces(sql).c_str());
    found = kept_.emplace(std::string(sql), std::move(prepared)).first;
  }
  return Prepared(found->second);
}

std::int64_t Database::changed_rows() const { return sqlite3_changes64(handle_.get()); }

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database_.use(kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN")->step();
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.use("ROLLBACK")->step();
  } catch (const DatabaseError&) {
    // SQLite has rolled back already: a full disk does that.
  }
}

void Transaction::commit() {
  database_.use("COMMIT")->step();
  open_ = false;
}

}  // namespace pytoon::io
