// `pytoon backup` and `pytoon restore`.
#include <iostream>

#include "base/files.h"
#include "server/app/backup.h"
#include "server/app/commands.h"
#include "server/app/complain.h"
#include "server/app/postgres_tools.h"
#include "server/io/owner_lock.h"
#include "server/io/postgres_restore.h"
#include "server/io/sqlite_copy.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSqliteFile = "database.sqlite";
constexpr const char* kPostgresFile = "database.pgdump";
constexpr std::chrono::seconds kSeenLately{60};

// Names that begin with a dot are the storage's own business.
bool holds_nothing(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (!entry.path().filename().string().starts_with('.')) return false;
  }
  return true;
}

Status make_backup(const Config& config, const fs::path& folder, Manifest& manifest) {
  if (!holds_nothing(folder)) {
    return failure(FailureKind::kInvalid, folder.string() + " is not empty: name another folder");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return errno_failure(error.value(), "can't create " + folder.string());
  const char* const file = is_postgres(config) ? kPostgresFile : kSqliteFile;
  Status copied = is_postgres(config) ? dump_postgres(config.database_url, folder / file)
                                      : io::copy_sqlite(config.database_url.file, folder / file);
  if (!copied) return copied;
  manifest.database = is_postgres(config) ? "postgresql" : "sqlite";
  if (copied = add_entry(folder, file, manifest); !copied) return copied;
  if (copied = copy_storage(config.storage_root, folder, manifest); !copied) return copied;
  return write_manifest(manifest, folder);
}

Failure not_empty(const std::string& what) {
  return failure(FailureKind::kConflict,
                 what + " is not empty: move it away, or say --force to write over it");
}

Status restore_sqlite(const Config& config, const fs::path& file, bool force) {
  if (fs::exists(config.database_url.file) && !force)
    return not_empty(config.database_url.file.string());
  std::error_code error;
  if (config.database_url.file.has_parent_path())
    fs::create_directories(config.database_url.file.parent_path(), error);
  const auto lock =
      io::own(config.database_url.file.string() + ".lock", config.database_url.file.string());
  if (!lock) return lock.failure();
  for (const char* suffix : {"-wal", "-shm"})
    fs::remove(config.database_url.file.string() + suffix, error);
  const fs::path staged = config.database_url.file.string() + ".restoring";
  fs::copy_file(file, staged, fs::copy_options::overwrite_existing, error);
  if (error) return errno_failure(error.value(), "can't write " + staged.string());
  return publish_file(staged, config.database_url.file);
}

Status restore_postgres(const Config& config, const fs::path& file, bool force) {
  const std::string login = config.database_url.login();
  const auto contents = io::look_into_postgres(login, kSeenLately);
  if (!contents) return contents.failure();
  if (contents->workers > 0) {
    return failure(FailureKind::kConflict,
                   "the database is in use: stop all workers and servers first; one that was "
                   "killed counts for " +
                       std::to_string(kSeenLately.count()) + " s");
  }
  if (!contents->empty && !force) return not_empty("the database");
  if (Status readable = read_postgres_dump(file); !readable) return readable;
  if (Status emptied = io::empty_postgres(login); !emptied) return emptied;
  return load_postgres(config.database_url, file);
}

Status put_back(const Config& config, const fs::path& folder, bool force) {
  const Result<Manifest> manifest = read_manifest(folder);
  if (!manifest) return manifest.failure();
  const std::string wanted = is_postgres(config) ? "postgresql" : "sqlite";
  if (manifest->database != wanted) {
    return failure(FailureKind::kInvalid,
                   "DB_URL is " + wanted + ", the backup is of " + manifest->database);
  }
  if (Status whole = verify(*manifest, folder); !whole) return whole;
  if (!holds_nothing(config.storage_root) && !force) return not_empty(config.storage_root.string());
  std::error_code error;
  fs::create_directories(config.storage_root, error);
  if (error) return errno_failure(error.value(), "can't create " + config.storage_root.string());
  const auto lock = io::own(config.storage_root / ".owner", config.storage_root.string());
  if (!lock) return lock.failure();
  Status database = is_postgres(config) ? restore_postgres(config, folder / kPostgresFile, force)
                                        : restore_sqlite(config, folder / kSqliteFile, force);
  return database ? put_back_storage(*manifest, folder, config.storage_root) : database;
}

}  // namespace

int back_up(const Config& config, const fs::path& folder) {
  const SystemClock clock;
  Manifest manifest;
  manifest.created_at = iso8601(clock.now());
  const Status made = make_backup(config, folder, manifest);
  if (!made) return complain(made.failure());
  std::int64_t bytes = 0;
  for (const BackupEntry& entry : manifest.entries) bytes += entry.bytes;
  std::cout << folder.string() << ": " << manifest.entries.size() << " files, " << (bytes >> 20)
            << " MiB\n";
  return 0;
}

int restore(const Config& config, const fs::path& folder, bool force) {
  const Status done = put_back(config, folder, force);
  if (!done) return complain(done.failure());
  std::cout << "restored from " << folder.string() << "\n";
  return 0;
}

}  // namespace pytoon::app
