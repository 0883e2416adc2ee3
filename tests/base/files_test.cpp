#include "base/files.h"

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace pytoon {
namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  const support::TemporaryFolder temporary_{"pytoon-files"};
  const fs::path& folder_ = temporary_.path();
};

TEST_F(Files, PublishedFileIsWholeAndLeavesNothingBeside) {
  const fs::path path = folder_ / "metadata.json";
  ASSERT_TRUE(write_file_atomically(path, "first"));
  ASSERT_TRUE(write_file_atomically(path, "second"));
  EXPECT_EQ(*read_file(path), "second");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(Files, AMissingFileIsNotFound) {
  EXPECT_EQ(read_file(folder_ / "none").failure().kind, FailureKind::kNotFound);
}

TEST_F(Files, AMissingFolderIsAFailureAndNotAFile) {
  EXPECT_FALSE(write_file_atomically(folder_ / "none" / "file", "bytes"));
}

TEST(ErrnoFailure, AFullDiskHasItsOwnKind) {
  EXPECT_EQ(errno_failure(ENOSPC, "x").kind, FailureKind::kStorageFull);
  EXPECT_EQ(errno_failure(EIO, "x").kind, FailureKind::kIo);
}

}  // namespace pytoon
