// A folder for what one process makes on the way, which goes when the process goes: by itself, or,
// if it was killed, when the next one comes to the same place. Several processes may work side by
// side.
//
// Thread rule: one thread. Blocks on the disk.
#pragma once

#include <filesystem>
#include <memory>

#include "base/files.h"

namespace pytoon::app {

class WorkFolder {
 public:
  // Inside `place`, which is made if needed. kIo, kStorageFull.
  static Result<std::unique_ptr<WorkFolder>> make(const std::filesystem::path& place);
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  WorkFolder(std::filesystem::path path, FileDescriptor lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  const std::filesystem::path path_;
  const FileDescriptor lock_;  // held for as long as the process lives
};

}  // namespace pytoon::app
