// Temporary folders for tests: in memory where the machine has such a file system, where syncing
// costs nothing.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace pytoon::support {

inline std::filesystem::path make_temporary_folder(const std::string& name) {
  const bool fast = ::access("/dev/shm", W_OK) == 0;
  const std::filesystem::path base = fast ? "/dev/shm" : std::filesystem::temp_directory_path();
  std::string made = (base / (name + "-XXXXXX")).string();
  EXPECT_NE(::mkdtemp(made.data()), nullptr);
  return made;
}

// Removed with all that is in it.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& name = "pytoon-test")
      : path_(make_temporary_folder(name)) {}
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
