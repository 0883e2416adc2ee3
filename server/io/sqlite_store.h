// The embedded JobStore: one SQLite file, owned by one process (a lock file says so; it falls with
// the process). WAL, synchronous=FULL: what was acknowledged survives a power cut. One writer
// connection behind a mutex, a few connections for readers, who never wait for it. People may read
// and write the file beside us with sqlite3; a lock held longer than the busy timeout gives
// kUnavailable.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/files.h"
#include "server/io/sqlite.h"
#include "server/jobs/job_store.h"

namespace pytoon::io {

class SqliteStore final : public jobs::JobStore {
  struct Opened {};  // only open() makes one

 public:
  // How fast, never what.
  struct Options {
    int readers = 4;
    std::chrono::milliseconds busy_timeout{5000};
  };
  // Creates the file and its folder, brings the schema up to date. kConflict when another process
  // owns the file or the schema is newer than this program.
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& file,
                                                   const Clock& clock, Options options);
  SqliteStore(Opened, const std::filesystem::path& file, const Clock& clock, const Options& options,
              FileDescriptor lock);

  Result<jobs::Job> job(const std::string& id) override;
  Result<std::vector<jobs::Segment>> segments(const std::string& job_id) override;
  Result<jobs::JobPage> list(const std::optional<std::string>& tenant,
                             const jobs::ListQuery& query) override;
  Result<std::int64_t> queued() override;
  Result<std::optional<jobs::Receipt>> receipt(const std::string& tenant,
                                               const std::string& idempotency_key) override;
  Result<jobs::AssetRecord> asset(const std::string& tenant, const std::string& key) override;
  Status probe() override;

  Result<jobs::Submitted> create(const jobs::NewJob& job, std::int64_t queued_max) override;
  Status keep_asset(const jobs::AssetRecord& asset) override;

  Result<std::optional<jobs::Claim>> lease_next(const std::string& holder,
                                                std::chrono::milliseconds duration) override;
  Status renew(const jobs::Lease& lease, std::chrono::milliseconds duration) override;
  Status check(const jobs::Lease& lease) override;
  Status release(const jobs::Lease& lease, jobs::Ending ending,
                 std::chrono::milliseconds delay) override;
  Status expire_leases_except(const std::string& holder) override;

  Status move(const jobs::Lease& lease, const Move& move) override;
  Status put_segment(const jobs::Lease& lease, const jobs::Segment& segment) override;
  Status put_progress(const jobs::Lease& lease, int pct) override;
  Status note_fallback(const jobs::Lease& lease, const std::string& reason) override;

 private:
  struct Connection {
    Connection(const std::filesystem::path& file, Database::Access access, const Options& options)
        : database(file, access, options.busy_timeout) {}
    std::mutex mutex;
    Database database;
  };

  template <typename Work>
  auto reading(const Work& work);
  template <typename Work>
  auto writing(const Work& work);

  std::int64_t now() const { return clock_.now().time_since_epoch().count(); }
  jobs::Job read_job(const Statement& row);
  std::vector<jobs::Segment> read_segments(Database& database, const std::string& job_id);
  std::shared_ptr<const spec::RenderSpec> spec_of(const std::string& job_id, const Statement& row,
                                                  int column);

  const FileDescriptor lock_;
  const Clock& clock_;
  Connection writer_;  // closed last: it folds the WAL back into the file
  std::vector<std::unique_ptr<Connection>> readers_;
  std::atomic<unsigned> next_reader_{0};

  std::mutex specs_mutex_;
  // A stored spec never changes, so it is parsed once.
  std::unordered_map<std::string, std::shared_ptr<const spec::RenderSpec>> specs_;
};

template <typename Work>
auto SqliteStore::reading(const Work& work) {
  const unsigned first = next_reader_++;
  for (unsigned i = 0; i < readers_.size(); ++i) {
    Connection& reader = *readers_[(first + i) % readers_.size()];
    const std::unique_lock lock(reader.mutex, std::try_to_lock);
    if (lock) return guarded([&] { return work(reader.database); });
  }
  Connection& reader = *readers_[first % readers_.size()];
  const std::lock_guard lock(reader.mutex);
  return guarded([&] { return work(reader.database); });
}

template <typename Work>
auto SqliteStore::writing(const Work& work) {
  const std::lock_guard lock(writer_.mutex);
  return guarded([&] { return work(writer_.database); });
}

}  // namespace pytoon::io
