#include "server/app/backends.h"

#include <sys/stat.h>

#include "base/files.h"
#include "server/io/file_storage.h"
#include "server/io/open_store.h"
#include "server/io/storage/s3_storage.h"

namespace pytoon::app {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kFreeBytesMin = 256UL * 1024 * 1024;

}  // namespace

Result<std::unique_ptr<io::SqlStore>> open_record(const Config& config, Clock& clock) {
  if (is_postgres(config)) {
    return io::open_postgres_store(config.database_url.login(), clock);
  }
  return io::open_sqlite_store(config.database_url.file, clock);
}

Result<std::unique_ptr<jobs::ObjectStore>> open_storage(const Config& config, bool alone,
                                                        HttpClient& web, Clock& clock) {
  if (config.s3) {
    auto storage = io::S3Storage::open(*config.s3, config.storage_root, kFreeBytesMin, web, clock);
    if (!storage) return storage.failure();
    return std::unique_ptr<jobs::ObjectStore>(std::move(*storage));
  }
  io::FileStorageOptions options;
  options.sharing = alone ? io::Sharing::kExclusive : io::Sharing::kShared;
  auto storage = io::FileStorage::open(config.storage_root, kFreeBytesMin, options);
  if (!storage) return storage.failure();
  return std::unique_ptr<jobs::ObjectStore>(std::move(*storage));
}

Status free_leases_of_the_dead(io::SqlStore& store, const std::string& worker_id) {
  if (!store.sole_owner()) return ok_status();
  if (Status freed = store.expire_leases_except(worker_id); !freed) return freed;
  const auto reaped = store.reap();
  return reaped ? ok_status() : Status(reaped.failure());
}

Result<std::string> own_secret(const Config& config, const std::string& name,
                               const std::string& fresh) {
  const fs::path file = config.data_dir / name;
  if (!fs::exists(file)) {
    std::error_code error;
    if (!config.data_dir.empty()) fs::create_directories(config.data_dir, error);
    const Status written = write_file_atomically(file, fresh);
    if (!written) return written.failure();
    if (::chmod(file.c_str(), S_IRUSR | S_IWUSR) != 0) {
      return errno_failure(errno, "can't protect " + file.string());
    }
  }
  return read_file(file);
}

}  // namespace pytoon::app
