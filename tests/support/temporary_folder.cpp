#include "tests/support/temporary_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <cstdlib>

namespace pytoon::support {

std::filesystem::path make_temporary_folder(const std::string& name) {
  const bool fast = ::access("/dev/shm", W_OK) == 0;
  const std::filesystem::path base =
      fast ? std::filesystem::path("/dev/shm") : std::filesystem::temp_directory_path();
  std::string made = (base / (name + "-XXXXXX")).string();
  EXPECT_NE(::mkdtemp(made.data()), nullptr);
  return made;
}

}  // namespace pytoon::support
