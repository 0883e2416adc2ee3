// Backup and restore of a PostgreSQL by its own programs.
#include "server/app/postgres_tools.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "server/app/commands.h"
#include "server/io/open_store.h"
#include "tests/server/jobs/samples.h"
#include "tests/support/postgres.h"
#include "tests/support/temporary_folder.h"

namespace pytoon::app {
namespace {

class PostgresBackupTest : public testing::Test {
 protected:
  // An installation on a database of its own.
  Config installation(const std::string& name) const {
    Config config;
    config.database_url = *io::parse_database_url(server_.url(server_.create_database()));
    config.storage_root = folder_.path() / name;
    return config;
  }
  std::unique_ptr<io::SqlStore> open(const Config& config) {
    auto store = io::open_postgres_store(config.database_url.login(), clock_);
    EXPECT_TRUE(store);
    return std::move(*store);
  }

  testing_support::PostgresServer& server_ = testing_support::shared_postgres();
  testing_support::TemporaryFolder folder_;
  testing_support::HandClock clock_;
  const std::filesystem::path backup_ = folder_.path() / "backup";
};

TEST_F(PostgresBackupTest, ComesBackInAnotherDatabase) {
  const Config here = installation("here");
  const Config there = installation("there");
  const auto store = open(here);
  ASSERT_TRUE(store->create(testing_support::sample_job("before"), {100}));
  std::filesystem::create_directories(here.storage_root / "jobs/a");
  ASSERT_TRUE(write_file_atomically(here.storage_root / "jobs/a/output.mp4", "video"));
  ASSERT_EQ(back_up(here, backup_), 0) << "while the store is open";
  ASSERT_TRUE(store->create(testing_support::sample_job("after"), {100}));

  ASSERT_EQ(restore(there, backup_, false), 0);
  const auto restored = open(there);
  EXPECT_TRUE(restored->job("before"));
  EXPECT_FALSE(restored->job("after"));
  EXPECT_EQ(*read_file(there.storage_root / "jobs/a/output.mp4"), "video");
  // It goes on as a database of ours.
  EXPECT_TRUE(restored->create(testing_support::sample_job("later"), {100}));
}

TEST_F(PostgresBackupTest, WhatIsThereIsNotWrittenOverUnlessForced) {
  const Config here = installation("here");
  const auto store = open(here);
  ASSERT_TRUE(store->create(testing_support::sample_job("before"), {100}));
  ASSERT_EQ(back_up(here, backup_), 0);
  ASSERT_TRUE(store->create(testing_support::sample_job("after"), {100}));
  EXPECT_EQ(restore(here, backup_, false), 1);
  EXPECT_TRUE(store->job("after"));
  ASSERT_EQ(restore(here, backup_, true), 0);
  EXPECT_TRUE(store->job("before"));
  EXPECT_FALSE(store->job("after"));
}

TEST_F(PostgresBackupTest, TheOtherKindOfDatabaseIsRefused) {
  const Config here = installation("here");
  ASSERT_TRUE(open(here));
  ASSERT_EQ(back_up(here, backup_), 0);
  Config there = installation("there");
  there.database_url = *io::parse_database_url("sqlite:///" + (folder_.path() / "x.db").string());
  EXPECT_EQ(restore(there, backup_, false), 2);
}

TEST_F(PostgresBackupTest, AServerThatIsAwayIsAFailure) {
  Config here = installation("here");
  here.database_url = *io::parse_database_url("postgresql://nobody@127.0.0.1:1/none");
  EXPECT_EQ(back_up(here, backup_), 1);
  EXPECT_FALSE(std::filesystem::exists(backup_ / "manifest.json"));
}

// What a program is started with can be read by every user of the machine.
TEST(PostgresTools, ThePasswordIsNotOnTheCommandLine) {
  testing_support::TemporaryFolder folder;
  const auto program = folder.path() / "pg_dump";
  const auto said = folder.path() / "said";
  ASSERT_TRUE(write_file_atomically(
      program, "#!/bin/sh\necho \"$PGPASSWORD|$*\" > " + said.string() + "\n"));
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (folder.path().string() + ":" + path).c_str(), 1);
  const Status done = dump_postgres(
      *io::parse_database_url("postgresql://pytoon:p%40ss@db:5432/video"), folder.path() / "file");
  ::setenv("PATH", path.c_str(), 1);
  ASSERT_TRUE(done);
  const std::string words = *read_file(said);
  EXPECT_TRUE(words.starts_with("p@ss|")) << words;
  EXPECT_EQ(words.find("p@ss", 1), std::string::npos) << words;
  EXPECT_NE(words.find("host='db'"), std::string::npos) << words;
}

}  // namespace
}  // namespace pytoon::app
