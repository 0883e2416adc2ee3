// The ObjectStore on a local disk or a shared volume: a key is a path below the root. Writers work
// below root/.tmp and files are renamed from there, so that nothing half-written is ever seen by
// key. A link is a relative symbolic link. A folder goes with its last object.
//
// Thread rule and errors: as in server/jobs/object_store.h. put() syncs file and folder: some
// milliseconds on a disk, more on a network volume, and a copy of the bytes when the file lies on
// another mount. kUnavailable when the volume is not mounted (its root is gone or empty).
//
// Durability: storage/disk.h. Sharing: one process alone (`serve`), or any number that all say so.
#pragma once

#include <cstdint>
#include <memory>

#include "base/files.h"
#include "server/io/owner_lock.h"
#include "server/io/storage/disk.h"
#include "server/io/storage/staging_area.h"
#include "server/io/storage/storage_key.h"
#include "server/jobs/object_store.h"

namespace pytoon::io {

struct FileStorageOptions {
  // Behaviour. kShared: staged files of live processes stay; dead ones' go.
  Sharing sharing = Sharing::kExclusive;
  // Speed: what syncing costs, and nothing else. nullptr is the machine's disk. Must outlive the
  // storage.
  Disk* disk = nullptr;
};

class FileStorage final : public jobs::ObjectStore {
  struct Opened {};  // only open() makes one

 public:
  // Creates the root and clears what dead processes left in root/.tmp. kConflict when a process
  // owns the root alone, or we would while others share it.
  // free_bytes_min: with less than this left, writable() says kStorageFull.
  static Result<std::unique_ptr<FileStorage>> open(const std::filesystem::path& root,
                                                   std::uintmax_t free_bytes_min,
                                                   const FileStorageOptions& options = {});
  FileStorage(Opened /*by open()*/, std::filesystem::path root, std::uintmax_t free_bytes_min,
              FileDescriptor lock, std::unique_ptr<StagingArea> staging, Disk* disk);

  std::filesystem::path staging(const std::string& name) override;
  Status put(const std::filesystem::path& file, const std::string& key) override;
  Result<std::filesystem::path> local(const std::string& key) override;
  Result<bool> contains(const std::string& key) override;
  Status link(const std::string& target, const std::string& key) override;
  Status remove(const std::string& key) override;
  Result<std::unique_ptr<jobs::ObjectWalk>> walk(const std::string& prefix) override;
  Result<WallTime> now() override;
  Result<int> reclaim_abandoned() override;
  Result<std::optional<std::string>> presigned(const std::string& key,
                                               std::chrono::seconds valid_for) override;
  Status writable() override;

 private:
  Status make_folder(const std::filesystem::path& folder);
  Status present() const;
  // Renames what is complete and, for a file, synced, into a folder that is made for it.
  Status publish(const std::filesystem::path& from, const std::filesystem::path& path);
  // From another mount: through the staging folder of ours.
  Result<std::filesystem::path> bring_in(const std::filesystem::path& file);

  const std::filesystem::path root_;
  const std::uintmax_t free_bytes_min_;
  const FileDescriptor lock_;
  const std::unique_ptr<StagingArea> staging_;
  RealDisk real_disk_;
  Disk& disk_;
};

}  // namespace pytoon::io
