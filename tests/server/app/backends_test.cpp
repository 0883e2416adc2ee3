// What a start does with the leases that others hold.
#include "server/app/backends.h"

#include <gtest/gtest.h>

#include "server/io/open_store.h"
#include "tests/server/jobs/samples.h"
#include "tests/support/postgres.h"

namespace pytoon::app {
namespace {

using std::chrono::milliseconds;

class StartTest : public testing::Test {
 protected:
  static jobs::Lease lease(io::SqlStore& store, const std::string& worker_id) {
    const auto leased =
        store.lease_next({worker_id, {jobs::TaskKind::kPrepare}, {}}, milliseconds(60'000));
    EXPECT_TRUE(leased && *leased);
    return leased && *leased ? (*leased)->lease : jobs::Lease{};
  }

  testing_support::HandClock clock_;
  testing_support::TemporaryFolder folder_;
};

// Three of these once ended a healthy job as a plain card.
TEST_F(StartTest, OnASharedDatabaseNobodysLeaseIsTaken) {
  testing_support::PostgresServer& server = testing_support::shared_postgres();
  const std::string connection = server.connection(server.create_database());
  const auto store = io::open_postgres_store(connection, clock_);
  ASSERT_TRUE(store) << store.failure().detail;
  ASSERT_TRUE((*store)->create(testing_support::sample_job("a"), {100}));
  const jobs::Lease held = lease(**store, "living");
  for (const char* worker_id : {"first", "second", "third"}) {
    ASSERT_TRUE(free_leases_of_the_dead(**store, worker_id));
  }
  EXPECT_TRUE((*store)->lost({held})->empty());
  EXPECT_EQ((*store)->job("a")->crashes, 0);
  EXPECT_EQ((*store)->job("a")->attempts, 0);
}

TEST_F(StartTest, OfAStoreThatWeOwnAloneTheDeadAreReaped) {
  const auto store = io::open_sqlite_store(folder_.path() / "pytoon.db", clock_);
  ASSERT_TRUE(store);
  ASSERT_TRUE((*store)->create(testing_support::sample_job("a"), {100}));
  const jobs::Lease held = lease(**store, "dead");
  ASSERT_TRUE(free_leases_of_the_dead(**store, "next"));
  EXPECT_EQ((*store)->lost({held})->size(), 1U);
  EXPECT_EQ((*store)->job("a")->crashes, 1);
}

}  // namespace
}  // namespace pytoon::app
