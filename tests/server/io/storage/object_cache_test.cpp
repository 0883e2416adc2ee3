#include "server/io/storage/object_cache.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "tests/server/jobs/samples.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::io {
namespace fs = std::filesystem;

class ObjectCacheTest : public testing::Test {
 protected:
  std::optional<fs::path> keep(const std::string& key, const std::string& version,
                               std::size_t bytes) {
    const fs::path file = folder_.path() / "download";
    EXPECT_TRUE(write_file_atomically(file, std::string(bytes, 'x')));
    return cache_.keep(key, version, file);
  }
  void later() { clock_.advance(std::chrono::seconds(61)); }

  support::TemporaryFolder folder_;
  testing_support::HandClock clock_;
  ObjectCache cache_{folder_.path() / "cache", 100, std::chrono::seconds(60), clock_};
};

TEST_F(ObjectCacheTest, FindsTheLatestVersion) {
  EXPECT_FALSE(cache_.find("a.mp4"));
  const auto first = keep("a.mp4", "1", 10);
  const auto second = keep("a.mp4", "2", 20);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->extension(), ".mp4");
  EXPECT_EQ(cache_.find("a.mp4")->version, "2");
  EXPECT_EQ(cache_.find("a.mp4")->path, *second);
  EXPECT_TRUE(fs::exists(*first));  // somebody may be reading it
  keep("a.mp4", "2", 25);
  EXPECT_EQ(cache_.bytes(), 35);
}

TEST_F(ObjectCacheTest, TheLeastRecentlyUsedGoFirst) {
  const auto a = keep("a", "1", 40);
  const auto b = keep("b", "1", 40);
  later();
  EXPECT_TRUE(cache_.find("a"));
  later();
  const auto c = keep("c", "1", 40);
  EXPECT_FALSE(cache_.find("b"));
  EXPECT_FALSE(fs::exists(*b));
  EXPECT_TRUE(fs::exists(*a) && fs::exists(*c));
  EXPECT_EQ(cache_.bytes(), 80);
}

TEST_F(ObjectCacheTest, WhatWasJustAskedForStaysWhateverTheBound) {
  const auto a = keep("a", "1", 90);
  const auto b = keep("b", "1", 90);
  EXPECT_TRUE(fs::exists(*a) && fs::exists(*b));
  EXPECT_EQ(cache_.bytes(), 180);
  later();
  keep("c", "1", 5);
  EXPECT_FALSE(fs::exists(*a));
  EXPECT_LE(cache_.bytes(), 100);
}

TEST_F(ObjectCacheTest, ADroppedKeyLeavesNoCopy) {
  const auto first = keep("a", "1", 10);
  const auto second = keep("a", "2", 10);
  const auto other = keep("b", "1", 10);
  cache_.drop("a");
  EXPECT_FALSE(fs::exists(*first) || fs::exists(*second));
  EXPECT_FALSE(cache_.find("a"));
  EXPECT_TRUE(fs::exists(*other));
  EXPECT_EQ(cache_.bytes(), 10);
}

TEST_F(ObjectCacheTest, AFileThatCantBeMovedIsNotKept) {
  EXPECT_FALSE(cache_.keep("a", "1", folder_.path() / "none"));
  EXPECT_FALSE(cache_.find("a"));
}

}  // namespace pytoon::io
