#include "base/files.h"

#include <gtest/gtest.h>

#include <fstream>

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

TEST_F(Files, ASecretIsNeverReadableByOthersNotEvenForAMoment) {
  const fs::path path = folder_ / "data/keys/api_key";
  ASSERT_TRUE(create_private_folders(path.parent_path()));
  ASSERT_TRUE(create_private_folders(path.parent_path()));  // it is there already
  const fs::perms all = fs::perms::owner_all;
  EXPECT_EQ(fs::status(folder_ / "data").permissions(), all);
  EXPECT_EQ(fs::status(folder_ / "data/keys").permissions(), all);
  // What a dead process of the same number left behind has the mode it had.
  const fs::path next = temporary_beside(path);
  const std::string name = next.filename().string();  // .tmp-PID-COUNT-api_key
  const std::size_t count_at = name.find('-', 5) + 1;
  const int count = std::stoi(name.substr(count_at));
  const fs::path left =
      path.parent_path() / (name.substr(0, count_at) + std::to_string(count + 1) + "-api_key");
  { std::ofstream(left) << "left"; }
  fs::permissions(left, fs::perms::owner_all | fs::perms::others_read);
  ASSERT_TRUE(write_file_atomically(path, "secret", FileAccess::kPrivate));
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(*read_file(path), "secret");
  EXPECT_FALSE(fs::exists(left));
}

TEST(ErrnoFailure, AFullDiskHasItsOwnKind) {
  EXPECT_EQ(errno_failure(ENOSPC, "x").kind, FailureKind::kStorageFull);
  EXPECT_EQ(errno_failure(EIO, "x").kind, FailureKind::kIo);
}

}  // namespace pytoon
