#include "server/app/backup.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "server/app/commands.h"
#include "server/io/open_store.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::app {
namespace fs = std::filesystem;

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    config_.database_url.file = folder_.path() / "data" / "pytoon.db";
    config_.storage_root = folder_.path() / "storage";
  }
  void write(const fs::path& file, const std::string& bytes) {
    fs::create_directories(file.parent_path());
    ASSERT_TRUE(write_file_atomically(file, bytes));
  }
  // A little installation, its database open as by a running server.
  std::unique_ptr<io::SqlStore> install() {
    auto store = io::open_sqlite_store(config_.database_url.file, clock_);
    EXPECT_TRUE(store);
    EXPECT_TRUE((*store)->create(testing_support::sample_job("before"), {100}));
    EXPECT_TRUE((*store)->reserve({"api:before/1/0", "before", 300'000}, {1'000'000, 1'000'000}));
    write(config_.storage_root / "segments/k.1.mp4", "segment");
    write(config_.storage_root / "jobs/a/output.mp4", "video");
    write(config_.storage_root / ".tmp/half", "half");
    fs::create_directories(config_.storage_root / "jobs/a/segments");
    fs::create_symlink("../../../segments/k.1.mp4",
                       config_.storage_root / "jobs/a/segments/seg_000.mp4");
    return std::move(*store);
  }
  Config elsewhere() const {
    Config config = config_;
    config.database_url.file = folder_.path() / "other" / "pytoon.db";
    config.storage_root = folder_.path() / "other" / "storage";
    return config;
  }

  testing_support::TemporaryFolder folder_;
  testing_support::HandClock clock_;
  Config config_;
  const fs::path backup_ = folder_.path() / "backup";
};

TEST_F(BackupTest, ComesBackAsItWasAtThatMoment) {
  const auto store = install();
  ASSERT_EQ(back_up(config_, backup_), 0) << "while the store is open";
  ASSERT_TRUE(store->create(testing_support::sample_job("after"), {100}));
  write(config_.storage_root / "jobs/a/output.mp4", "another video");
  EXPECT_FALSE(fs::exists(backup_ / "storage/.tmp"));

  const Config there = elsewhere();
  ASSERT_EQ(restore(there, backup_, false), 0);
  EXPECT_EQ(*read_file(there.storage_root / "jobs/a/output.mp4"), "video");
  EXPECT_EQ(*read_file(there.storage_root / "jobs/a/segments/seg_000.mp4"), "segment");
  const auto restored = io::open_sqlite_store(there.database_url.file, clock_);
  ASSERT_TRUE(restored);
  EXPECT_TRUE((*restored)->job("before"));
  EXPECT_FALSE((*restored)->job("after"));
  EXPECT_EQ(*(*restored)->spent_today_micro_usd(), 300'000);
}

TEST_F(BackupTest, DamageIsFoundBeforeAnythingIsTouched) {
  const auto store = install();
  ASSERT_EQ(back_up(config_, backup_), 0);
  fs::remove(backup_ / "storage/jobs/a/output.mp4");  // a hard link: the original stays whole
  write(backup_ / "storage/jobs/a/output.mp4", "vidio");
  EXPECT_EQ(restore(elsewhere(), backup_, false), 1);
  EXPECT_FALSE(fs::exists(elsewhere().database_url.file));
  fs::remove(backup_ / "storage/jobs/a/output.mp4");
  EXPECT_EQ(restore(elsewhere(), backup_, false), 1);
  fs::remove(backup_ / "manifest.json");
  EXPECT_EQ(restore(elsewhere(), backup_, true), 1);
}

TEST_F(BackupTest, WhatIsThereIsNotWrittenOverUnlessForced) {
  auto store = install();
  ASSERT_EQ(back_up(config_, backup_), 0);
  EXPECT_EQ(back_up(config_, backup_), 2) << "a second one needs a folder of its own";
  ASSERT_TRUE(store->create(testing_support::sample_job("after"), {100}));
  EXPECT_EQ(restore(config_, backup_, false), 1);
  EXPECT_EQ(restore(config_, backup_, true), 1) << "in use";
  store.reset();
  EXPECT_EQ(restore(config_, backup_, false), 1);
  ASSERT_EQ(restore(config_, backup_, true), 0);
  const auto restored = io::open_sqlite_store(config_.database_url.file, clock_);
  ASSERT_TRUE(restored);
  EXPECT_TRUE((*restored)->job("before"));
  EXPECT_FALSE((*restored)->job("after"));
}

TEST_F(BackupTest, AManifestNamesNothingOutside) {
  for (const char* path : {"../x", "storage/../../x", "/etc/passwd", ""}) {
    nlohmann::json json{{"format", 1}, {"created_at", ""}, {"database", "sqlite"}};
    json["entries"].push_back({{"path", path}, {"sha256", "00"}});
    write(backup_ / "manifest.json", json.dump());
    EXPECT_FALSE(read_manifest(backup_)) << path;
  }
  for (const char* text :
       {"{", "[]", R"({"format":2,"entries":[]})", R"({"format":"x"})",
        R"({"format":1,"entries":[7]})", R"({"format":1,"entries":[{"path":7}]})"}) {
    write(backup_ / "manifest.json", text);
    EXPECT_FALSE(read_manifest(backup_)) << text;
  }
}

}  // namespace pytoon::app
