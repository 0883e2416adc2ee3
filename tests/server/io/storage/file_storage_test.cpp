#include "server/io/file_storage.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>

#include <thread>

#include "base/files.h"
#include "tests/server/io/storage/power_disk.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::io {
namespace fs = std::filesystem;

class FileStorageTest : public testing::Test {
 protected:
  void SetUp() override { open(0); }
  void open(std::uintmax_t free_bytes_min, const FileStorageOptions& options = {}) {
    storage_.reset();
    auto opened = FileStorage::open(root(), free_bytes_min, options);
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

  support::TemporaryFolder folder_;
  std::unique_ptr<FileStorage> storage_;
};

TEST(StorageKey, HasLimits) {
  EXPECT_FALSE(is_valid_key(std::string("a\0b", 3)));
  EXPECT_FALSE(is_valid_key(std::string(201, 'a')));
  EXPECT_FALSE(is_valid_key(std::string(600, 'a')));
  EXPECT_TRUE(is_valid_key("assets/acme/12ab_3-4.png"));
}

TEST_F(FileStorageTest, NothingIsLeftInStaging) {
  ASSERT_TRUE(put("a/b", "x"));
  ASSERT_TRUE(storage_->link("a/b", "c"));
  EXPECT_TRUE(fs::is_empty(root() / ".tmp"));
}

// Two volumes of one container are: same disk, same device, and a rename between them fails.
TEST_F(FileStorageTest, AFileFromAnotherMountOfTheSameDiskIsTakenAndGone) {
  const fs::path other = folder_.path() / "other";
  fs::create_directory(other);
  bool mounted = false;
  std::thread([&] {  // with mounts of its own
    mounted = ::unshare(CLONE_NEWNS) == 0 &&
              ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
              ::mount(other.c_str(), other.c_str(), nullptr, MS_BIND, nullptr) == 0;
    if (!mounted) return;
    ASSERT_TRUE(write_file_atomically(other / "upload", "bytes"));
    const Status put = storage_->put(other / "upload", "assets/a");
    EXPECT_TRUE(put) << put.failure().detail;
  })
      .join();
  if (!mounted) GTEST_SKIP() << "mounting needs root";
  EXPECT_EQ(read("assets/a"), "bytes");
  EXPECT_TRUE(fs::is_empty(other));
  EXPECT_TRUE(fs::is_empty(root() / ".tmp"));
}

// The volume is not mounted any more: an empty folder is there in its place.
TEST_F(FileStorageTest, AStorageThatIsGoneHasNotLostItsObjects) {
  ASSERT_TRUE(put("a/b", "x"));
  fs::rename(root(), folder_.path() / "elsewhere");
  EXPECT_EQ(storage_->contains("a/b").failure().kind, FailureKind::kUnavailable);
  fs::create_directory(root());
  EXPECT_EQ(storage_->contains("a/b").failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(storage_->local("a/b").failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(storage_->remove("a/b").failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(storage_->walk("a/").failure().kind, FailureKind::kUnavailable);
  fs::remove(root());
  fs::rename(folder_.path() / "elsewhere", root());
  EXPECT_TRUE(*storage_->contains("a/b"));
  EXPECT_FALSE(*storage_->contains("a/c"));
}

TEST_F(FileStorageTest, LinksSurviveAMoveOfTheStorage) {
  ASSERT_TRUE(put("segments/a.2.mp4", "new"));
  ASSERT_TRUE(storage_->link("segments/a.2.mp4", "jobs/1/segments/seg_000.mp4"));
  fs::rename(root(), folder_.path() / "moved");
  EXPECT_EQ(*read_file(folder_.path() / "moved/jobs/1/segments/seg_000.mp4"), "new");
}

TEST_F(FileStorageTest, ALinkThatLeadsNowhereIsListedSoThatItCanGo) {
  ASSERT_TRUE(put("segments/a", "x"));
  ASSERT_TRUE(storage_->link("segments/a", "jobs/1/segments/seg_000.mp4"));
  ASSERT_TRUE(storage_->remove("segments/a"));
  EXPECT_FALSE(*storage_->contains("jobs/1/segments/seg_000.mp4"));
  ASSERT_EQ(storage_->list("jobs/")->size(), 1U);
  ASSERT_TRUE(storage_->remove("jobs/1/segments/seg_000.mp4"));
  EXPECT_TRUE(storage_->list("jobs/")->empty());
}

TEST_F(FileStorageTest, AFolderGoesWithItsLastObject) {
  ASSERT_TRUE(put("jobs/1/segments/seg_000.mp4", "x"));
  ASSERT_TRUE(put("jobs/1/output.mp4", "x"));
  ASSERT_TRUE(storage_->remove("jobs/1/segments/seg_000.mp4"));
  EXPECT_FALSE(fs::exists(root() / "jobs/1/segments"));
  EXPECT_TRUE(fs::exists(root() / "jobs/1"));
  ASSERT_TRUE(storage_->remove("jobs/1/output.mp4"));
  EXPECT_FALSE(fs::exists(root() / "jobs/1"));
  EXPECT_TRUE(fs::exists(root() / "jobs")) << "those at the top stay";
}

// Whoever empties a folder and whoever fills it must never make each other fail.
TEST_F(FileStorageTest, FoldersThatComeAndGoHarmNoPut) {
  constexpr int kRounds = 300;
  const auto churn = [this](const std::string& key) {
    for (int i = 0; i < kRounds; ++i) {
      const Status stored = put(key, "x");
      ASSERT_TRUE(stored) << stored.failure().detail;
      ASSERT_TRUE(storage_->remove(key));
    }
  };
  std::thread other([&] { churn("jobs/1/segments/b"); });
  churn("jobs/1/a");
  other.join();
}

TEST_F(FileStorageTest, ALivingProcessTakesBackWhatADeadOneStaged) {
  open(0, {.sharing = Sharing::kShared});
  EXPECT_EQ(*storage_->reclaim_abandoned(), 0);
  const fs::path mine = storage_->staging("mine");
  ASSERT_TRUE(write_file_atomically(mine, "x"));
  fs::create_directory(root() / ".tmp/dead");  // nobody holds its lock
  EXPECT_EQ(*storage_->reclaim_abandoned(), 1);
  EXPECT_FALSE(fs::exists(root() / ".tmp/dead"));
  EXPECT_TRUE(fs::exists(mine));
}

TEST_F(FileStorageTest, AStartClearsWhatADeadProcessLeft) {
  ASSERT_TRUE(write_file_atomically(storage_->staging("half.mp4"), "half"));
  ASSERT_TRUE(put("kept", "whole"));
  open(0);
  EXPECT_TRUE(fs::is_empty(root() / ".tmp"));
  EXPECT_EQ(read("kept"), "whole");
}

TEST_F(FileStorageTest, OneProcessOwnsTheRootAlone) {
  ASSERT_TRUE(write_file_atomically(storage_->staging("half.mp4"), "half"));
  for (const Sharing sharing : {Sharing::kExclusive, Sharing::kShared}) {
    const auto second = FileStorage::open(root(), 0, {sharing});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.failure().kind, FailureKind::kConflict);
  }
  EXPECT_FALSE(fs::is_empty(root() / ".tmp"));
}

TEST_F(FileStorageTest, ManyProcessesShareTheRoot) {
  open(0, {Sharing::kShared});
  const fs::path mine = storage_->staging("mine");
  ASSERT_TRUE(write_file_atomically(mine, "half"));
  auto second = FileStorage::open(root(), 0, {Sharing::kShared});
  ASSERT_TRUE(second) << second.failure().detail;
  EXPECT_TRUE(fs::exists(mine));
  EXPECT_NE(mine.parent_path(), (*second)->staging("mine").parent_path());
  EXPECT_EQ(FileStorage::open(root(), 0).failure().kind, FailureKind::kConflict);
  ASSERT_TRUE(storage_->put(mine, "a"));
  EXPECT_EQ(*read_file(*(*second)->local("a")), "half");
}

TEST_F(FileStorageTest, TooLittleSpaceIsStorageFull) {
  open(std::uintmax_t{1} << 60U);
  EXPECT_EQ(storage_->writable().failure().kind, FailureKind::kStorageFull);
}

TEST_F(FileStorageTest, AStorageThatIsGoneIsNotWritable) {
  fs::remove_all(root());
  EXPECT_FALSE(storage_->writable());
}

// The power goes after each step of a put; what is found then is the old object or the new one.
class PowerTest : public FileStorageTest {
 protected:
  // "old", "new", "" for none, or anything else for a torn one; whether put() had said yes.
  std::pair<std::string, bool> after_power_loss(const std::string& key, int steps, bool forgets) {
    PowerDisk disk;
    fs::remove_all(root());
    open(0, {Sharing::kExclusive, &disk});
    EXPECT_TRUE(put("kept", "old"));
    disk.forgets = forgets;
    disk.steps_left = steps;
    const bool done = put(key, "new").ok();
    disk.lose_power(root());
    open(0);
    const bool there = *storage_->contains(key);
    return {there ? read(key) : "", done};
  }
};

TEST_F(PowerTest, ObjectsAreOldOrNewAndNewOnceStored) {
  for (int steps = 0; steps < 8; ++steps) {
    for (const std::string key : {"kept", "fresh/deep/key"}) {
      const auto [found, done] = after_power_loss(key, steps, false);
      const std::string before = key == "kept" ? "old" : "";
      EXPECT_TRUE(found == "new" || (!done && found == before)) << key << steps << found;
    }
  }
  EXPECT_TRUE(after_power_loss("fresh/deep/key", 5, false).second);
}

TEST_F(PowerTest, WithoutSyncingTheyAreLost) {
  EXPECT_EQ(after_power_loss("fresh/deep/key", 100, true), std::make_pair(std::string(), true));
  EXPECT_EQ(after_power_loss("kept", 100, true), std::make_pair(std::string("old"), true));
}

TEST_F(FileStorageTest, AForgetfulDiskStoresButNeverSyncs) {
  ForgetfulDisk disk;
  open(0, {Sharing::kExclusive, &disk});
  ASSERT_TRUE(put("a", "x"));
  EXPECT_EQ(read("a"), "x");
  EXPECT_TRUE(disk.sync_file(root() / "none"));  // it does not even look
}

}  // namespace pytoon::io
