#include "server/io/sqlite_database.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/files.h"
#include "server/io/migrations.h"
#include "server/io/owner_lock.h"

namespace pytoon::io {
namespace fs = std::filesystem;

namespace {

class SqliteSession final : public SqlSession {
 public:
  SqliteSession(Database& database, const Clock& clock)
      : database_(database), now_(clock.now().time_since_epoch().count()) {}

  Rows query_with(std::string_view sql, std::span<const Param> params) override {
    const Prepared statement = database_.use(sql);
    bind(statement, params);
    Rows rows;
    while (statement->step()) rows.push_back(statement->row());
    return rows;
  }
  std::int64_t run_with(std::string_view sql, std::span<const Param> params) override {
    const Prepared statement = database_.use(sql);
    bind(statement, params);
    statement->step();
    return database_.changed_rows();
  }
  std::int64_t now() override { return now_; }
  std::int64_t next_epoch() override {
    return query("UPDATE epochs SET last = last + 1 RETURNING last").at(0).integer(0);
  }

 private:
  static void bind(const Prepared& statement, std::span<const Param> params) {
    int index = 0;
    for (const Param& param : params) statement->bind_param(++index, param);
  }

  Database& database_;
  const std::int64_t now_;
};

// Others may read neither the file nor those that SQLite lays beside it, which get its mode.
Status make_private(const fs::path& file) {
  const FileDescriptor made(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!made || ::fchmod(made.get(), 0600) != 0) {
    return errno_failure(errno, "can't open " + file.string());
  }
  for (const char* beside : {"-wal", "-shm"}) {
    const std::string path = file.string() + beside;
    if (::chmod(path.c_str(), 0600) != 0 && errno != ENOENT) {
      return errno_failure(errno, "can't open " + path);
    }
  }
  return ok_status();
}

}  // namespace

SqliteDatabase::SqliteDatabase(const fs::path& file, const Clock& clock,
                               const SqliteOptions& options, FileDescriptor lock)
    : file_(file),
      free_bytes_min_(options.free_bytes_min),
      lock_(std::move(lock)),
      clock_(clock),
      writer_(file, Database::Access::kWrite, options) {
  writer_.database.run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;");
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::open(const fs::path& file,
                                                             const Clock& clock,
                                                             const SqliteOptions& options) {
  // The folder holds the keys of the installation too, whoever creates it first.
  if (Status made = create_private_folders(file.parent_path()); !made) return made.failure();
  Result<FileDescriptor> lock = own(file.string() + ".lock", file.string());
  if (!lock) return lock.failure();
  if (Status hidden = make_private(file); !hidden) return hidden.failure();
  return start(file, clock, options, std::move(*lock));
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::in_memory(const Clock& clock) {
  SqliteOptions options;
  options.readers = 0;  // another connection would see another memory
  return start(":memory:", clock, options, FileDescriptor());
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::start(const fs::path& file,
                                                              const Clock& clock,
                                                              const SqliteOptions& options,
                                                              FileDescriptor lock) {
  return guarded([&]() -> Result<std::unique_ptr<SqliteDatabase>> {
    std::unique_ptr<SqliteDatabase> database(
        new SqliteDatabase(file, clock, options, std::move(lock)));
    Status migrated = migrate(database->writer_.database, sqlite_migrations(), clock);
    if (!migrated) return migrated.failure();
    for (int i = 0; i < options.readers; ++i) {
      database->readers_.push_back(
          std::make_unique<Connection>(file, Database::Access::kRead, options));
    }
    return database;
  });
}

void SqliteDatabase::read(const Reading& body) {
  const unsigned first = next_reader_++;
  for (unsigned i = 0; i < readers_.size(); ++i) {
    Connection& reader = *readers_[(first + i) % readers_.size()];
    const std::unique_lock lock(reader.mutex, std::try_to_lock);
    if (lock) return read_on(reader, body);
  }
  Connection& reader = readers_.empty() ? writer_ : *readers_[first % readers_.size()];
  const std::lock_guard lock(reader.mutex);
  read_on(reader, body);
}

// One snapshot for all its queries.
void SqliteDatabase::read_on(Connection& connection, const Reading& body) {
  Transaction snapshot(connection.database, Transaction::Kind::kSnapshot);
  SqliteSession session(connection.database, clock_);
  body(session);
}

void SqliteDatabase::write(const Writing& body) {
  const std::lock_guard lock(writer_.mutex);
  Transaction transaction(writer_.database, Transaction::Kind::kWrite);
  SqliteSession session(writer_.database, clock_);
  if (body(session)) transaction.commit();
}

// A transaction that is begun for writing and undone.
Status SqliteDatabase::writable() {
  std::error_code error;
  const fs::space_info space = fs::space(file_, error);
  if (!error && space.available < free_bytes_min_) {
    return failure(FailureKind::kStorageFull, "the database's disk is full");
  }
  return guarded([&]() -> Status {
    write([](SqlSession&) { return false; });
    return ok_status();
  });
}

}  // namespace pytoon::io
