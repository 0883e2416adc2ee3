// What makes a file on a disk durable, as steps that a test can watch, fail or leave out.
//
// The order that put() keeps: the file's bytes are synced, then it is renamed to its key, then the
// folder is synced; a folder that had to be made is synced into its parent first. Whatever instant
// the power goes, the key shows the old file whole or the new one whole; after put() returned, the
// new one. Source: POSIX fsync(2), rename(2).
//
// Thread rule: any thread. Errors: as errno_failure().
#pragma once

#include <filesystem>

#include "base/result.h"

namespace pytoon::io {

class Disk {
 public:
  virtual ~Disk() = default;
  virtual Status sync_file(const std::filesystem::path& path) = 0;
  virtual Status rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual Status sync_folder(const std::filesystem::path& path) = 0;
};

class RealDisk final : public Disk {
 public:
  Status sync_file(const std::filesystem::path& path) override;
  Status rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  Status sync_folder(const std::filesystem::path& path) override;
};

// Renames but never syncs: for batteries that must go red without fsync. Never for data.
class ForgetfulDisk final : public Disk {
 public:
  Status sync_file(const std::filesystem::path& path) override;
  Status rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  Status sync_folder(const std::filesystem::path& path) override;
};

}  // namespace pytoon::io
