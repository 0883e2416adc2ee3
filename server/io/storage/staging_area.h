// Where one process writes files that nobody else sees yet. Several processes may share the parent
// folder: each has a folder of its own there, with a lock beside it that falls with the process,
// and whoever comes next removes the folders whose lock is free.
//
//   parent/3f2a....lock   held by flock(2) as long as its process lives
//   parent/3f2a..../      its files
//
// Thread rule: fresh() from any thread. Errors: kIo, kStorageFull.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/files.h"
#include "base/result.h"

namespace pytoon::io {

class StagingArea {
  struct Opened {};  // only the two below make one

 public:
  // The whole parent is ours, whatever is in it goes: for who holds a lock on it already.
  static Result<std::unique_ptr<StagingArea>> sole(const std::filesystem::path& parent);
  // A folder beside those of other processes; those of dead ones are removed.
  static Result<std::unique_ptr<StagingArea>> shared(const std::filesystem::path& parent);
  ~StagingArea();  // removes a shared one's folder
  StagingArea(const StagingArea&) = delete;
  StagingArea& operator=(const StagingArea&) = delete;
  StagingArea(Opened /*by the above*/, std::filesystem::path folder, FileDescriptor lock,
              std::filesystem::path lock_file);

  // Removes the folders of processes that died since; how many. A sole area has none beside it.
  Result<int> remove_dead();
  // A path that nothing is at, ending in `name`.
  std::filesystem::path fresh(const std::string& name);
  const std::filesystem::path& folder() const { return folder_; }

 private:
  const std::filesystem::path folder_;
  const FileDescriptor lock_;
  const std::filesystem::path lock_file_;  // empty for a sole one
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace pytoon::io
