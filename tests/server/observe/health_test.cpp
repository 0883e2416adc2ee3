#include "server/observe/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <sstream>
#include <thread>

#include "server/io/file_storage.h"
#include "server/io/open_store.h"
#include "tests/server/jobs/samples.h"
#include "tests/support/fault_injection.h"

namespace pytoon::observe {
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class HealthTest : public testing::Test {
 protected:
  testing_support::HandClock clock_;
  const testing_support::TemporaryFolder folder_;
  const std::unique_ptr<io::SqlStore> store_ = io::open_memory_store(clock_);
  const std::unique_ptr<io::FileStorage> storage_ =
      io::FileStorage::open(folder_.path() / "storage", 0).value();
  std::ostringstream lines_;
  Log log_{clock_, lines_};
  jobs::ProcessHealth process_{log_};
};

jobs::Service::Readiness now(Health& health) {
  health.look();
  return health.readiness();
}

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
  Health health(**store, **store, **storage, process, clock);
  EXPECT_THAT(now(health).blocking, IsEmpty());
  EXPECT_FALSE(health.draining());

  ASSERT_TRUE((*store)->set_draining(true));
  EXPECT_TRUE(health.draining());
  EXPECT_THAT(now(health).blocking, ElementsAre("draining"));
  ASSERT_TRUE((*store)->set_draining(false));
  EXPECT_FALSE(health.draining());

  bool there = true;
  health.add_helper("redis", [&there] { return there; });
  EXPECT_THAT(now(health).degraded, IsEmpty());
  there = false;
  EXPECT_THAT(now(health).degraded, ElementsAre("redis"));
  EXPECT_THAT(now(health).blocking, IsEmpty());

  health.set_leaving();
  EXPECT_TRUE(health.draining());
  EXPECT_THAT(now(health).blocking, ElementsAre("draining"));

  io::Database request(file, io::Database::Access::kWrite, std::chrono::milliseconds(10));
  request.run("BEGIN IMMEDIATE");
  std::filesystem::remove_all(folder.path() / "storage");
  EXPECT_THAT(now(health).blocking, UnorderedElementsAre("database", "storage", "draining"));
}

TEST_F(HealthTest, AProcessThatMustBeStartedAnewIsNotReadyAndTakesNothing) {
  Health health(*store_, *store_, *storage_, process_, clock_);
  EXPECT_FALSE(health.draining());
  process_.mark_unusable("the context is lost");
  EXPECT_TRUE(health.draining());
  EXPECT_THAT(now(health).blocking, ElementsAre("process", "draining"));
}

// Calls hang until it thaws.
class Frozen final : public testing_support::FaultPlan {
 public:
  Answer before_call() override {
    asked = true;
    asked.notify_all();
    frozen.wait(true);
    return Answer::kGoOn;
  }
  void after_call() override {}
  std::atomic<bool> frozen{false};
  std::atomic<bool> asked{false};
};

TEST_F(HealthTest, AnswersAtOnceWhateverHangs) {
  Frozen plan;
  testing_support::FaultInjectingJobs database(*store_, plan);
  Health health(database, *store_, *storage_, process_, clock_);
  health.look();
  plan.frozen = true;
  plan.asked = false;
  std::thread looking([&health] { health.look(); });
  plan.asked.wait(false);
  EXPECT_THAT(health.readiness().blocking, IsEmpty()) << "what was found a moment ago";
  clock_.advance(Health::kStale + std::chrono::seconds(1));
  EXPECT_THAT(health.readiness().blocking, ElementsAre("database"));
  health.set_leaving();
  EXPECT_THAT(health.readiness().blocking, ElementsAre("database", "draining")) << "said at once";
  plan.frozen = false;
  plan.frozen.notify_all();
  looking.join();
  EXPECT_THAT(health.readiness().blocking, ElementsAre("draining"));
}

}  // namespace pytoon::observe
