#include "server/io/sqlite_database.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "server/io/migrations.h"
#include "server/io/open_store.h"
#include "server/io/sqlite_copy.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::io {
using jobs::JobStatus;
using jobs::LeaseRequest;
using jobs::TaskKind;
using std::chrono::milliseconds;
using testing_support::sample_job;

class SqliteFile : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.path() / "data" / "pytoon.db"; }
  Result<std::unique_ptr<SqlStore>> open(const SqliteOptions& database = {},
                                         const StoreOptions& options = {}) {
    return open_sqlite_store(file(), clock_, database, options);
  }
  static LeaseRequest request(const std::string& worker_id) {
    return {worker_id, {TaskKind::kPrepare}, {}};
  }

  testing_support::HandClock clock_;
  testing_support::TemporaryFolder folder_;
};

TEST_F(SqliteFile, WhatWasAcknowledgedSurvivesAProcessThatDies) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto store = open();
    const bool kept = store && (*store)->create(sample_job("a"), {10}) &&
                      (*store)->lease_next(request("child"), milliseconds(20'000));
    ::_exit(kept ? 0 : 1);  // no destructor runs: the WAL stays as it is
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(WEXITSTATUS(status), 0);
  ASSERT_TRUE(std::filesystem::exists(file().string() + "-wal"));
  const auto store = open();
  ASSERT_TRUE(store) << store.failure().detail;
  EXPECT_EQ((*store)->job("a")->status, JobStatus::kPlanning);
  ASSERT_TRUE((*store)->expire_leases_except("parent"));
  EXPECT_EQ((*store)->reap()->size(), 1U);
  const auto leased = (*store)->lease_next(request("parent"), milliseconds(20'000));
  ASSERT_TRUE(leased->has_value());
  EXPECT_EQ((*leased)->job.attempts, 1);
}

TEST_F(SqliteFile, AtEachPointOfAWriteItHappenedOrItDidNot) {
  for (const std::string point : {"create.before_commit", "create.after_commit"}) {
    const std::string id = point;
    const pid_t child = ::fork();
    if (child == 0) {
      StoreOptions options;
      options.crash_point = [&point](std::string_view at) {
        if (at == point) ::_exit(9);
      };
      const auto store = open({}, options);
      (void)(*store)->create(sample_job(id), {10});
      ::_exit(1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(WEXITSTATUS(status), 9) << point << " was not reached";
    const auto store = open();
    EXPECT_EQ((*store)->job(id).ok(), point == "create.after_commit");
  }
}

TEST_F(SqliteFile, OneProcessOwnsIt) {
  auto first = open();
  ASSERT_TRUE(first);
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.failure().kind, FailureKind::kConflict);
  first->reset();
  EXPECT_TRUE(open());
}

TEST_F(SqliteFile, ACleanCloseFoldsTheLogIntoTheFile) {
  {
    const auto store = open();
    ASSERT_TRUE((*store)->create(sample_job("a"), {10}));
  }
  EXPECT_FALSE(std::filesystem::exists(file().string() + "-wal"));
}

TEST_F(SqliteFile, ANewerSchemaIsRefusedAndLeftAlone) {
  { ASSERT_TRUE(open()); }
  {
    Database by_hand(file(), Database::Access::kWrite, milliseconds(100));
    by_hand.run("INSERT INTO schema_migrations VALUES (999, 'from_the_future', 'later')");
  }
  const auto store = open();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.failure().kind, FailureKind::kConflict);
  EXPECT_NE(store.failure().detail.find("999"), std::string::npos);
}

TEST_F(SqliteFile, MigrationsApplyOnceEachAndAFailingOneLeavesNothing) {
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

// A database as the first version left it: one job on its way, one waiting, one ended.
TEST_F(SqliteFile, LiveJobsOfTheFirstSchemaGoOn) {
  std::filesystem::create_directories(file().parent_path());
  {
    Database old(file(), Database::Access::kWrite, milliseconds(100));
    ASSERT_TRUE(migrate(old, {sqlite_migrations()[0]}, clock_));
    const std::string spec = to_json(testing_support::sample_spec()).dump();
    for (const char* status : {"ASSEMBLING", "QUEUED", "DONE", "RENDERING_SEGMENTS"}) {
      Statement job = old.prepare(
          "INSERT INTO jobs (id, tenant, status, spec, priority, epoch, lease_holder, created_at, "
          "updated_at) VALUES (?, 'acme', ?, ?, 5, 7, 'dead', 1, 1)");
      job.bind(status, status, spec).step();
      for (int i = 0; i < 3; ++i) {
        Statement segment = old.prepare(
            "INSERT INTO segments (job_id, idx, status, "
            "duration_seconds, artifact_key) VALUES (?, ?, ?, 3, 'k')");
        segment.bind(status, i, i == 0 ? "DONE" : "RUNNING").step();
      }
    }
    old.run("UPDATE epochs SET last = 7");
  }
  const auto opened = open();
  ASSERT_TRUE(opened) << opened.failure().detail;
  SqlStore& store = **opened;
  std::string taken;
  while (true) {
    const auto leased = store.lease_next(request("new"), milliseconds(1000));
    ASSERT_TRUE(leased) << leased.failure().detail;
    if (!leased->has_value()) break;
    taken += (*leased)->job.id + " ";
    EXPECT_GT((*leased)->lease.epoch, 7);
    EXPECT_EQ((*leased)->job.run, (*leased)->job.id == "QUEUED" ? 1 : 2);
    EXPECT_EQ((*leased)->segments[0].artifact_key, "k");
    EXPECT_EQ((*leased)->segments[1].status, jobs::SegmentStatus::kPending);
  }
  EXPECT_EQ(taken, "ASSEMBLING QUEUED RENDERING_SEGMENTS ");
  EXPECT_EQ(store.job("DONE")->status, JobStatus::kDone);
  EXPECT_EQ(store.backlog()->open_segments, 3 * 2);
}

TEST_F(SqliteFile, ADatabaseLockedByHandIsUnavailableAndHeals) {
  SqliteOptions options;
  options.busy_timeout = milliseconds(20);
  const auto store = open(options);
  ASSERT_TRUE((*store)->create(sample_job("a"), {10}));
  Database by_hand(file(), Database::Access::kWrite, milliseconds(100));
  by_hand.run("BEGIN IMMEDIATE");
  EXPECT_EQ((*store)->create(sample_job("b"), {10}).failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ((*store)->probe().failure().kind, FailureKind::kUnavailable);
  EXPECT_TRUE((*store)->job("a"));  // readers do not wait
  by_hand.run("ROLLBACK");
  EXPECT_TRUE((*store)->create(sample_job("b"), {10}));
  EXPECT_TRUE((*store)->probe());
}

TEST_F(SqliteFile, AFullDiskIsSaidAndLeavesTheDatabaseSound) {
  const auto store = open();
  ASSERT_TRUE((*store)->create(sample_job("a"), {10}));
  // A cap on the file's pages refuses like a full disk does.
  Status full = ok_status();
  {
    Database by_hand(file(), Database::Access::kWrite, milliseconds(100));
    by_hand.run("PRAGMA max_page_count = 1");
    full = guarded([&]() -> Status {
      by_hand.run("CREATE TABLE big AS SELECT zeroblob(9000000) AS b");
      return ok_status();
    });
  }
  ASSERT_FALSE(full);
  EXPECT_EQ(full.failure().kind, FailureKind::kStorageFull);
  EXPECT_TRUE((*store)->create(sample_job("b"), {10}));
}

TEST_F(SqliteFile, AProbeWritesNothing) {
  const auto store = open();
  ASSERT_TRUE((*store)->set_draining(false));
  const auto logged = std::filesystem::file_size(file().string() + "-wal");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE((*store)->probe());
  EXPECT_EQ(std::filesystem::file_size(file().string() + "-wal"), logged);
}

TEST_F(SqliteFile, AProbeSaysThatTheDiskIsFullBeforeASubmissionMeetsIt) {
  SqliteOptions options;
  options.free_bytes_min = std::uintmax_t{1} << 62;
  const auto store = open(options);
  EXPECT_EQ((*store)->probe().failure().kind, FailureKind::kStorageFull);
}

TEST_F(SqliteFile, NobodyElseMayReadItNorItsCopy) {
  namespace fs = std::filesystem;
  ::umask(0022);
  fs::create_directories(file().parent_path());
  std::ofstream(file()).flush();  // as an older version left it
  ASSERT_EQ(fs::status(file()).permissions() & fs::perms::others_read, fs::perms::others_read);
  const auto store = open();
  ASSERT_TRUE(store) << store.failure().detail;
  ASSERT_TRUE((*store)->create(sample_job("a"), {10}));
  const fs::path copy = folder_.path() / "copy.db";
  ASSERT_TRUE(copy_sqlite(file(), copy));
  for (const fs::path& one :
       {file(), fs::path(file().string() + "-wal"), fs::path(file().string() + "-shm"), copy}) {
    EXPECT_EQ(fs::status(one).permissions(), fs::perms::owner_read | fs::perms::owner_write) << one;
  }
}

TEST_F(SqliteFile, NothingNamesATenantWhoseLastJobIsDeleted) {
  const auto turns = [this] {
    Database by_hand(file(), Database::Access::kWrite, milliseconds(100));
    Statement count = by_hand.prepare("SELECT count(*) FROM tenant_turns WHERE tenant = 'acme'");
    EXPECT_TRUE(count.step());
    return count.integer(0);
  };
  const auto store = open();
  for (const char* id : {"a", "b"}) ASSERT_TRUE((*store)->create(sample_job(id), {10}));
  ASSERT_TRUE((*store)->lease_next(request("w"), milliseconds(1000)));
  EXPECT_EQ(turns(), 1);
  for (const char* id : {"a", "b"}) {
    ASSERT_TRUE((*store)->cancel(id));
    EXPECT_EQ(turns(), 1) << "another job of it is there";
    ASSERT_TRUE((*store)->delete_job(id));
  }
  EXPECT_EQ(turns(), 0);
}

TEST_F(SqliteFile, AFolderThatCannotBeMadeIsAFailure) {
  EXPECT_FALSE(open_sqlite_store("/proc/none/pytoon.db", clock_));
}

}  // namespace pytoon::io
