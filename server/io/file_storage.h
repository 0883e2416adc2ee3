// The ObjectStore on a local disk or a shared volume: a key is a path below the root. Writers work
// in root/.tmp and files are renamed from there, so that nothing half-written is ever seen by key.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/files.h"
#include "server/jobs/object_store.h"

namespace pytoon::io {

class FileStorage final : public jobs::ObjectStore {
  struct Opened {};  // only open() makes one

 public:
  // Creates the root and clears what a dead process left in root/.tmp. kConflict when another
  // process owns the root.
  // free_bytes_min: with less than this left, writable() says kStorageFull.
  static Result<std::unique_ptr<FileStorage>> open(const std::filesystem::path& root,
                                                   std::uintmax_t free_bytes_min);
  FileStorage(Opened /*by open()*/, std::filesystem::path root, std::uintmax_t free_bytes_min,
              FileDescriptor lock)
      : root_(std::move(root)), free_bytes_min_(free_bytes_min), lock_(std::move(lock)) {}

  std::filesystem::path staging(const std::string& name) override;
  Status put(const std::filesystem::path& file, const std::string& key) override;
  Result<std::filesystem::path> local(const std::string& key) override;
  bool exists(const std::string& key) override;
  Status link(const std::string& target, const std::string& key) override;
  Status remove(const std::string& key) override;
  Result<std::vector<jobs::StoredObject>> list(const std::string& prefix) override;
  Status writable() override;

 private:
  // The path of a key, its folder made.
  Result<std::filesystem::path> place(const std::string& key);

  const std::filesystem::path root_;
  const std::uintmax_t free_bytes_min_;
  const FileDescriptor lock_;
  std::atomic<std::uint64_t> staged_{0};
};

bool is_valid_key(const std::string& key);

}  // namespace pytoon::io
