#include "server/io/sqlite_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "server/io/migrations.h"
#include "server/io/sqlite_columns.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::io {
using std::chrono::milliseconds;
using testing_support::sample_job;

class SqliteStoreFile : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "data" / "pytoon.db"; }
  Result<std::unique_ptr<SqliteStore>> open() { return SqliteStore::open(file(), clock_, {}); }

  testing_support::HandClock clock_;
  testing_support::TemporaryFolder folder_;
};

TEST_F(SqliteStoreFile, WhatWasAcknowledgedSurvivesAProcessThatDies) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = open();
    const bool kept = store && (*store)->create(sample_job("a"), 10) &&
                      (*store)->lease_next("child", milliseconds(20'000));
    ::_exit(kept ? 0 : 1);  // no destructor runs: the WAL stays as it is
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  ASSERT_TRUE(std::filesystem::exists(file().string() + "-wal"));
  const auto store = open();
  ASSERT_TRUE(store) << store.failure().detail;
  EXPECT_EQ((*store)->job("a")->status, jobs::JobStatus::kQueued);
  ASSERT_TRUE((*store)->expire_leases_except("parent"));
  const auto claim = (*store)->lease_next("parent", milliseconds(20'000));
  ASSERT_TRUE(claim->has_value());
  EXPECT_EQ((*claim)->job.attempts, 1);
}

TEST_F(SqliteStoreFile, OneProcessOwnsTheFile) {
  auto first = open();
  ASSERT_TRUE(first);
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.failure().kind, FailureKind::kConflict);
  first->reset();
  EXPECT_TRUE(open());
}

TEST_F(SqliteStoreFile, ACleanCloseFoldsTheLogIntoTheFile) {
  {
    const auto store = open();
    ASSERT_TRUE((*store)->create(sample_job("a"), 10));
  }
  EXPECT_FALSE(std::filesystem::exists(file().string() + "-wal"));
}

TEST_F(SqliteStoreFile, ANewerSchemaIsRefusedAndLeftAlone) {
  { ASSERT_TRUE(open()); }
  {
    Database hand(file(), Database::Access::kWrite, milliseconds(100));
    hand.run("INSERT INTO schema_migrations VALUES (999, 'from_the_future', 'later')");
  }
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.failure().kind, FailureKind::kConflict);
  EXPECT_NE(store.failure().detail.find("999"), std::string::npos);
}

TEST_F(SqliteStoreFile, MigrationsApplyOnceEachAndAFailingOneLeavesNothing) {
  const std::filesystem::path other = folder_.path() / "steps.db";
  Database database(other, Database::Access::kWrite, milliseconds(100));
  std::vector<Migration> steps{{1, "one", "CREATE TABLE one (a)"}};
  ASSERT_TRUE(migrate(database, steps, clock_));
  steps.push_back({2, "two", "CREATE TABLE two (a); CREATE TABLE one (a)"});
  EXPECT_FALSE(migrate(database, steps, clock_));
  steps[1].sql = "CREATE TABLE two (a)";
  EXPECT_TRUE(migrate(database, steps, clock_));
  EXPECT_TRUE(migrate(database, steps, clock_));
  Statement count = database.prepare("SELECT count(*), max(version) FROM schema_migrations");
  ASSERT_TRUE(count.step());
  EXPECT_EQ(count.integer(0), 2);
  EXPECT_EQ(count.integer(1), 2);
}

TEST_F(SqliteStoreFile, ADatabaseLockedByHandIsUnavailableAndHeals) {
  SqliteStore::Options options;
  options.busy_timeout = milliseconds(20);
  const auto store = SqliteStore::open(file(), clock_, options);
  ASSERT_TRUE((*store)->create(sample_job("a"), 10));
  Database hand(file(), Database::Access::kWrite, milliseconds(100));
  hand.run("BEGIN IMMEDIATE");
  EXPECT_EQ((*store)->create(sample_job("b"), 10).failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ((*store)->probe().failure().kind, FailureKind::kUnavailable);
  EXPECT_TRUE((*store)->job("a"));  // readers do not wait
  hand.run("ROLLBACK");
  EXPECT_TRUE((*store)->create(sample_job("b"), 10));
  EXPECT_TRUE((*store)->probe());
}

TEST_F(SqliteStoreFile, AFullDiskIsSaidAndLeavesTheDatabaseSound) {
  const auto store = open();
  ASSERT_TRUE((*store)->create(sample_job("a"), 10));
  // A cap on the file's pages refuses like a full disk does.
  Status full = ok_status();
  {
    Database hand(file(), Database::Access::kWrite, milliseconds(100));
    hand.run("PRAGMA max_page_count = 1");
    full = guarded([&]() -> Status {
      hand.run("CREATE TABLE big AS SELECT zeroblob(9000000) AS b");
      return ok_status();
    });
  }
  ASSERT_FALSE(full);
  EXPECT_EQ(full.failure().kind, FailureKind::kStorageFull);
  EXPECT_TRUE((*store)->create(sample_job("b"), 10));
}

TEST_F(SqliteStoreFile, AFolderThatCannotBeMadeIsAFailure) {
  EXPECT_FALSE(SqliteStore::open("/proc/none/pytoon.db", clock_, {}));
}

TEST_F(SqliteStoreFile, LeasingAndCountingUseTheirIndexes) {
  { ASSERT_TRUE(open()); }
  Database hand(file(), Database::Access::kRead, milliseconds(100));
  const auto plan = [&hand](const std::string& sql) {
    Statement rows = hand.prepare(("EXPLAIN QUERY PLAN " + sql).c_str());
    std::string text;
    while (rows.step()) text += rows.text(3) + "\n";
    return text;
  };
  const std::string leasing = plan(kSelectFree);
  EXPECT_NE(leasing.find("jobs_live"), std::string::npos) << leasing;
  EXPECT_EQ(leasing.find("TEMP B-TREE"), std::string::npos) << leasing;
  const std::string place = plan(
      "SELECT count(*) FROM jobs q WHERE q.status = 'QUEUED' AND q.priority = 5 AND q.seq < 9");
  EXPECT_NE(place.find("jobs_queued"), std::string::npos) << place;
}

}  // namespace pytoon::io
