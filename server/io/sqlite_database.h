// The embedded database: one SQLite file, owned by one process (a lock file says so; it falls with
// the process). WAL, synchronous=FULL: what was acknowledged survives a power cut. One writer
// connection behind a mutex, a few connections for readers, who never wait for it. People may read
// and write the file beside us with sqlite3; a lock held longer than the busy timeout gives
// kUnavailable. Or in memory, for tests, simulations and one-off renders: nothing survives then.
//
// Time is the clock's that was handed in.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "server/io/sqlite.h"

namespace pytoon::io {

struct SqliteOptions {
  int readers = 4;
  std::chrono::milliseconds busy_timeout{5000};
  std::uintmax_t free_bytes_min = 16 << 20;  // with less on its disk it counts as full
};

class SqliteDatabase final : public SqlDatabase {
 public:
  // Creates the file and its folder, brings the schema up to date. kConflict when another process
  // owns the file or the schema is newer than this program.
  static Result<std::unique_ptr<SqliteDatabase>> open(const std::filesystem::path& file,
                                                      const Clock& clock,
                                                      const SqliteOptions& options);
  static Result<std::unique_ptr<SqliteDatabase>> in_memory(const Clock& clock);

  void read(const Reading& body) override;
  void write(const Writing& body) override;
  Status writable() override;
  bool sole_owner() const override { return true; }  // by the lock, or in memory

 private:
  struct Connection {
    Connection(const std::filesystem::path& file, Database::Access access,
               const SqliteOptions& options)
        : database(file, access, options.busy_timeout) {}
    std::mutex mutex;
    Database database;
  };

  SqliteDatabase(const std::filesystem::path& file, const Clock& clock,
                 const SqliteOptions& options, FileDescriptor lock);
  static Result<std::unique_ptr<SqliteDatabase>> start(const std::filesystem::path& file,
                                                       const Clock& clock,
                                                       const SqliteOptions& options,
                                                       FileDescriptor lock);
  void read_on(Connection& connection, const Reading& body);

  const std::filesystem::path file_;
  const std::uintmax_t free_bytes_min_;
  const FileDescriptor lock_;
  const Clock& clock_;
  Connection writer_;  // closed last: it folds the WAL back into the file
  std::vector<std::unique_ptr<Connection>> readers_;
  std::atomic<unsigned> next_reader_{0};
};

}  // namespace pytoon::io
