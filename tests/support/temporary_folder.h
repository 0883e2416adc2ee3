// Temporary folders for tests: in memory where the machine has such a file system, where syncing
// costs nothing.
#pragma once

#include <filesystem>
#include <string>

namespace pytoon::support {

std::filesystem::path make_temporary_folder(const std::string& name);

// Removed with all that is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(make_temporary_folder("pytoon-test")) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace pytoon::support
