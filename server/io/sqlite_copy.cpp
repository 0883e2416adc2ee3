#include "server/io/sqlite_copy.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>

#include "base/files.h"
#include "server/io/sqlite.h"

namespace pytoon::io {
namespace fs = std::filesystem;

namespace {

using Handle = std::unique_ptr<sqlite3, decltype(&sqlite3_close_v2)>;
constexpr int kBusyMs = 10'000;

Handle open_at(const fs::path& file, int flags) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
  Handle handle(raw, &sqlite3_close_v2);
  if (code != SQLITE_OK) handle.reset();
  if (handle) sqlite3_busy_timeout(handle.get(), kBusyMs);
  return handle;
}

Failure no_copy(const fs::path& from, int code) {
  const bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
  return failure(code == SQLITE_FULL ? FailureKind::kStorageFull
                                     : (busy ? FailureKind::kUnavailable : FailureKind::kIo),
                 "can't copy " + from.string() + ": " + sqlite3_errstr(code));
}

int copy_pages(sqlite3* from, sqlite3* to) {
  sqlite3_backup* const backup = sqlite3_backup_init(to, "main", from, "main");
  if (backup == nullptr) return sqlite3_errcode(to);
  const int stepped = sqlite3_backup_step(backup, -1);  // all pages at once: of one moment
  const int finished = sqlite3_backup_finish(backup);
  if (stepped != SQLITE_DONE) return stepped;
  return finished;
}

// The copy is one file that carries no log beside it.
Status check_copy(const fs::path& file) {
  Database copy(file, Database::Access::kWrite, std::chrono::milliseconds(kBusyMs));
  copy.run("PRAGMA journal_mode=DELETE");
  Statement check = copy.prepare("PRAGMA quick_check");
  if (check.step() && check.row().text(0) == "ok") return ok_status();
  return failure(FailureKind::kIo, "the copy " + file.string() + " is damaged");
}

}  // namespace

Status copy_sqlite(const fs::path& from, const fs::path& to) {
  if (!fs::exists(from)) {
    return failure(FailureKind::kNotFound, "there is no database " + from.string());
  }
  {
    const Handle source = open_at(from, SQLITE_OPEN_READWRITE);
    // Empty, and nobody else's from the start.
    const FileDescriptor made(::open(to.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!made || ::fchmod(made.get(), 0600) != 0)
      return errno_failure(errno, "can't write " + to.string());
    const Handle target = open_at(to, SQLITE_OPEN_READWRITE);
    if (!source) return no_copy(from, SQLITE_CANTOPEN);
    if (!target) return no_copy(to, SQLITE_CANTOPEN);
    if (const int code = copy_pages(source.get(), target.get()); code != SQLITE_OK) {
      return no_copy(from, code);
    }
  }
  return guarded([&] { return check_copy(to); });
}

}  // namespace pytoon::io
