#include "server/observe/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "server/io/file_storage.h"
#include "server/io/open_store.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::observe {
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Health, NamesWhatIsMissing) {
  testing_support::HandClock clock;
  const testing_support::TemporaryFolder folder;
  const auto file = folder.path() / "pytoon.db";
  io::SqliteOptions options;
  options.busy_timeout = std::chrono::milliseconds(10);
  const auto store = io::open_sqlite_store(file, clock, options);
  const auto storage = io::FileStorage::open(folder.path() / "storage", 0);
  ASSERT_TRUE(store && storage);
  std::ostringstream lines;
  Log log(clock, lines);
  jobs::ProcessHealth process(log);
  Health health(**store, **store, **storage, process);
  EXPECT_THAT(health.readiness().blocking, IsEmpty());
  EXPECT_FALSE(health.draining());

  ASSERT_TRUE((*store)->set_draining(true));
  EXPECT_TRUE(health.draining());
  EXPECT_THAT(health.readiness().blocking, ElementsAre("draining"));
  ASSERT_TRUE((*store)->set_draining(false));
  EXPECT_FALSE(health.draining());

  bool there = true;
  health.add_helper("redis", [&there] { return there; });
  EXPECT_THAT(health.readiness().degraded, IsEmpty());
  there = false;
  EXPECT_THAT(health.readiness().degraded, ElementsAre("redis"));
  EXPECT_THAT(health.readiness().blocking, IsEmpty());

  health.set_leaving();
  EXPECT_TRUE(health.draining());
  EXPECT_THAT(health.readiness().blocking, ElementsAre("draining"));

  io::Database request(file, io::Database::Access::kWrite, std::chrono::milliseconds(10));
  request.run("BEGIN IMMEDIATE");
  std::filesystem::remove_all(folder.path() / "storage");
  EXPECT_THAT(health.readiness().blocking, ElementsAre("database", "storage", "draining"));
}

TEST(Health, AProcessThatMustBeStartedAnewIsNotReadyAndTakesNothing) {
  testing_support::HandClock clock;
  const testing_support::TemporaryFolder folder;
  const auto store = io::open_memory_store(clock);
  const auto storage = io::FileStorage::open(folder.path() / "storage", 0);
  ASSERT_TRUE(storage);
  std::ostringstream lines;
  Log log(clock, lines);
  jobs::ProcessHealth process(log);
  Health health(*store, *store, **storage, process);
  EXPECT_FALSE(health.draining());
  process.mark_unusable("the context is lost");
  EXPECT_TRUE(health.draining());
  EXPECT_THAT(health.readiness().blocking, ElementsAre("process", "draining"));
}

}  // namespace pytoon::observe
