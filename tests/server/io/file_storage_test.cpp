#include "server/io/file_storage.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::io {
namespace fs = std::filesystem;

class FileStorageTest : public testing::Test {
 protected:
  void SetUp() override { open(0); }
  void open(std::uintmax_t free_bytes_min) {
    storage_.reset();
    auto opened = FileStorage::open(root(), free_bytes_min);
    ASSERT_TRUE(opened) << opened.failure().detail;
    storage_ = std::move(opened).value();
  }
  fs::path root() const { return folder_.path() / "storage"; }
  Status put(const std::string& key, const std::string& bytes) {
    const fs::path staged = storage_->staging("file");
    EXPECT_TRUE(write_file_atomically(staged, bytes));
    return storage_->put(staged, key);
  }
  std::string read(const std::string& key) { return *read_file(*storage_->local(key)); }

  testing_support::TemporaryFolder folder_;
  std::unique_ptr<FileStorage> storage_;
};

TEST_F(FileStorageTest, WhatIsPutCanBeReadAndReplacedAndRemoved) {
  ASSERT_TRUE(put("jobs/1/output.mp4", "first"));
  ASSERT_TRUE(put("jobs/1/output.mp4", "second"));
  EXPECT_EQ(read("jobs/1/output.mp4"), "second");
  EXPECT_TRUE(storage_->exists("jobs/1/output.mp4"));
  EXPECT_TRUE(fs::is_empty(root() / ".tmp"));
  ASSERT_TRUE(storage_->remove("jobs/1/output.mp4"));
  EXPECT_FALSE(storage_->exists("jobs/1/output.mp4"));
  EXPECT_TRUE(storage_->remove("jobs/1/output.mp4"));
  EXPECT_EQ(storage_->local("jobs/1/output.mp4").failure().kind, FailureKind::kNotFound);
}

TEST_F(FileStorageTest, KeysCannotLeaveTheRoot) {
  for (const char* key : {"", "/etc/passwd", "../x", "a/../b", "a/./b", "a//b", "a/", ".hidden",
                          "a/.tmp/b", "a\\b", "a b", "a\nb", "ü"}) {
    EXPECT_FALSE(is_valid_key(key)) << key;
    EXPECT_EQ(put(key, "x").failure().kind, FailureKind::kInvalid) << key;
    EXPECT_FALSE(storage_->exists(key)) << key;
    EXPECT_FALSE(storage_->local(key)) << key;
    EXPECT_FALSE(storage_->remove(key)) << key;
    EXPECT_FALSE(storage_->link("a", key)) << key;
    EXPECT_FALSE(storage_->link(key, "a")) << key;
  }
  EXPECT_FALSE(is_valid_key(std::string("a\0b", 3)));
  EXPECT_FALSE(is_valid_key(std::string(201, 'a')));
  EXPECT_FALSE(is_valid_key(std::string(600, 'a')));
  EXPECT_TRUE(is_valid_key("assets/acme/12ab_3-4.png"));
}

TEST_F(FileStorageTest, LinksShowTheirTargetAlsoAfterTheStorageMoved) {
  ASSERT_TRUE(put("segments/a.1.mp4", "old"));
  ASSERT_TRUE(put("segments/a.2.mp4", "new"));
  ASSERT_TRUE(storage_->link("segments/a.1.mp4", "jobs/1/segments/seg_000.mp4"));
  ASSERT_TRUE(storage_->link("segments/a.2.mp4", "jobs/1/segments/seg_000.mp4"));
  EXPECT_EQ(read("jobs/1/segments/seg_000.mp4"), "new");
  fs::rename(root(), folder_.path() / "moved");
  EXPECT_EQ(*read_file(folder_.path() / "moved/jobs/1/segments/seg_000.mp4"), "new");
}

TEST_F(FileStorageTest, AStartClearsWhatADeadProcessLeft) {
  ASSERT_TRUE(write_file_atomically(storage_->staging("half.mp4"), "half"));
  ASSERT_TRUE(put("kept", "whole"));
  open(0);
  EXPECT_TRUE(fs::is_empty(root() / ".tmp"));
  EXPECT_EQ(read("kept"), "whole");
}

TEST_F(FileStorageTest, OneProcessOwnsTheRoot) {
  ASSERT_TRUE(write_file_atomically(storage_->staging("half.mp4"), "half"));
  const auto second = FileStorage::open(root(), 0);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.failure().kind, FailureKind::kConflict);
  EXPECT_FALSE(fs::is_empty(root() / ".tmp"));
}

TEST_F(FileStorageTest, AFileFromAnotherFileSystemIsCopiedAndRemoved) {
  const fs::path elsewhere =
      fs::temp_directory_path() / ("pytoon-file-storage-test-" + std::to_string(::getpid()));
  ASSERT_TRUE(write_file_atomically(elsewhere, "bytes"));
  ASSERT_TRUE(storage_->put(elsewhere, "a"));
  EXPECT_EQ(read("a"), "bytes");
  EXPECT_FALSE(fs::exists(elsewhere));
  EXPECT_TRUE(fs::is_empty(root() / ".tmp"));
}

TEST_F(FileStorageTest, AMissingFileIsNotFound) {
  EXPECT_EQ(storage_->put(root() / "none", "a").failure().kind, FailureKind::kNotFound);
}

TEST_F(FileStorageTest, TooLittleSpaceIsStorageFull) {
  EXPECT_TRUE(storage_->writable());
  open(std::uintmax_t{1} << 60U);
  EXPECT_EQ(storage_->writable().failure().kind, FailureKind::kStorageFull);
}

TEST_F(FileStorageTest, AStorageThatIsGoneIsNotWritable) {
  fs::remove_all(root());
  EXPECT_FALSE(storage_->writable());
}

}  // namespace pytoon::io
