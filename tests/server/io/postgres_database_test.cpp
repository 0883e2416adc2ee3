// PostgreSQL that fails: what the store says, and that it goes on by itself afterwards.
#include "server/io/postgres_database.h"

#include <gtest/gtest.h>

#include <atomic>
#include <pqxx/pqxx>
#include <thread>

#include "server/io/open_store.h"
#include "tests/server/io/commit_gate.h"
#include "tests/server/jobs/samples.h"
#include "tests/support/postgres.h"
#include "tests/support/tcp_gate.h"

namespace pytoon::io {
using jobs::LeaseRequest;
using jobs::TaskKind;
using std::chrono::milliseconds;
using testing_support::CommitGate;
using testing_support::PostgresServer;
using testing_support::sample_job;
using testing_support::shared_postgres;

class Postgres : public testing::Test {
 protected:
  Postgres() : database_(shared_postgres().create_database()) {}

  std::string connection() const { return shared_postgres().connection(database_); }
  std::unique_ptr<SqlStore> open(const std::string& connection,
                                 const PostgresOptions& options = {}) {
    auto store = open_postgres_store(connection, clock_, options);
    EXPECT_TRUE(store) << store.failure().detail;
    return std::move(store).value();
  }

  SystemClock clock_;
  const std::string database_;
};

TEST(PostgresText, IsTranslated) {
  EXPECT_EQ(for_postgres("SELECT ? WHERE a = ? {FOR UPDATE}"), "SELECT $1 WHERE a = $2 FOR UPDATE");
  EXPECT_EQ(as_utf8("Zürich 🙂"), "Zürich 🙂");
  EXPECT_EQ(as_utf8(std::string_view("a\0b", 3)),
            "a\xef\xbf\xbd"
            "b");
  for (const char* broken : {"\xe9", "\xc3", "\xf0\x9f\x99", "\xed\xa0\x80", "\xc0\xaf", "\xff"}) {
    EXPECT_TRUE(as_utf8(broken).starts_with("\xef\xbf\xbd")) << broken;
  }
}

TEST_F(Postgres, SeveralProcessesMayMigrateAtOnce) {
  std::vector<std::thread> starting;
  for (int i = 0; i < 6; ++i) {
    starting.emplace_back([this] {
      const auto store = open_postgres_store(connection(), clock_);
      EXPECT_TRUE(store) << store.failure().detail;
    });
  }
  for (std::thread& thread : starting) thread.join();
  pqxx::connection request(connection());
  pqxx::work work(request);
  EXPECT_EQ(work.exec1("SELECT count(*) FROM schema_migrations")[0].as<std::size_t>(),
            postgres_migrations().size());
}

TEST_F(Postgres, ANewerSchemaIsRefusedAndLeftAlone) {
  open(connection());
  {
    pqxx::connection request(connection());
    pqxx::work work(request);
    work.exec("INSERT INTO schema_migrations VALUES (999, 'from_the_future', 'later')");
    work.commit();
  }
  const auto store = open_postgres_store(connection(), clock_);
  ASSERT_FALSE(store);
  EXPECT_EQ(store.failure().kind, FailureKind::kConflict);
  EXPECT_NE(store.failure().detail.find("999"), std::string::npos);
}

TEST_F(Postgres, AServerThatIsAwayIsUnavailableAndComesBack) {
  const auto store = open(connection());
  ASSERT_TRUE(store->create(sample_job("a"), {10}));
  shared_postgres().stop_at_once();
  EXPECT_EQ(store->create(sample_job("b"), {10}).failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(store->job("a").failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(store->probe().failure().kind, FailureKind::kUnavailable);
  const auto other = open_postgres_store(connection(), clock_);
  EXPECT_EQ(other.failure().kind, FailureKind::kUnavailable);
  shared_postgres().start();
  EXPECT_EQ(store->job("a")->id, "a");
  EXPECT_TRUE(store->create(sample_job("c"), {10}));
}

// Who writes takes a number; the server's own upkeep takes one or two meanwhile.
TEST_F(Postgres, AProbeWritesNothing) {
  const auto store = open(connection());
  pqxx::connection request(connection());
  const auto next_number = [&request] {
    pqxx::work work(request);
    return work.exec1("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")[0].as<long>();
  };
  const long before = next_number();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store->probe());
  EXPECT_LT(next_number() - before, 20);
}

TEST_F(Postgres, ConnectionsThatDiedUnusedCostNobodyAnError) {
  const auto store = open(connection());
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&store, i] {
      EXPECT_TRUE(store->create(sample_job("before" + std::to_string(i)), {100}));
    });
  }
  for (std::thread& thread : threads) thread.join();
  shared_postgres().stop_at_once();
  shared_postgres().start();
  EXPECT_TRUE(store->job("before0"));
  EXPECT_TRUE(store->create(sample_job("after"), {100}));
  shared_postgres().stop_at_once();
  shared_postgres().start();
  EXPECT_TRUE(store->create(sample_job("later"), {100})) << "a write comes first";
}

// As a host that is suspended, or a process that is stopped: its kernel acknowledges, it never
// answers.
TEST_F(Postgres, AFrozenServerIsUnavailableInTimeAndHeals) {
  support::TcpGate gate(shared_postgres().port());
  PostgresOptions options;
  options.limits.call = milliseconds(300);
  options.limits.connect = std::chrono::seconds(1);
  const auto store = open(shared_postgres().connection(database_, gate.port()), options);
  ASSERT_TRUE(store->create(sample_job("a"), {10}));
  SystemClock clock;
  for (const bool writes : {false, true}) {
    ASSERT_TRUE(store->job("a"));
    gate.set({.hold = true});
    const SteadyTime asked = clock.steady_now();
    const FailureKind kind =
        writes ? store->cancel("a").failure().kind : store->job("a").failure().kind;
    EXPECT_EQ(kind, FailureKind::kUnavailable);
    EXPECT_LT(clock.steady_now() - asked, std::chrono::seconds(4));
    gate.set({});
  }
  EXPECT_TRUE(store->create(sample_job("b"), {10}));
  EXPECT_TRUE(store->cancel("a"));
}

TEST_F(Postgres, AServerThatIsAwayHoldsUpOneCallerAtATime) {
  support::TcpGate gate(shared_postgres().port());
  PostgresOptions options;
  options.limits.call = milliseconds(300);
  const auto store = open(shared_postgres().connection(database_, gate.port()), options);
  gate.set({.hold = true});
  EXPECT_FALSE(store->job("a"));
  SystemClock clock;
  std::atomic<int> held_up{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      const SteadyTime asked = clock.steady_now();
      EXPECT_EQ(store->job("a").failure().kind, FailureKind::kUnavailable);
      if (clock.steady_now() - asked > milliseconds(1000)) ++held_up;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(held_up, 1);
  gate.set({});
  EXPECT_EQ(store->job("a").failure().kind, FailureKind::kNotFound);
}

TEST_F(Postgres, ARowLockedByHandIsUnavailableAndHeals) {
  PostgresOptions options;
  options.limits.lock = milliseconds(50);
  const auto store = open(connection(), options);
  ASSERT_TRUE(store->create(sample_job("a"), {10}));
  {
    pqxx::connection request(connection());
    pqxx::work work(request);
    work.exec("UPDATE jobs SET priority = 7 WHERE id = 'a'");
    EXPECT_EQ(store->cancel("a").failure().kind, FailureKind::kUnavailable);
    EXPECT_TRUE(store->job("a"));
    const auto leased = store->lease_next({"w", {TaskKind::kPrepare}, {}}, milliseconds(1000));
    ASSERT_TRUE(leased) << leased.failure().detail;
    EXPECT_FALSE(leased->has_value()) << "it is not waited for";
  }
  EXPECT_TRUE(store->cancel("a"));
}

TEST_F(Postgres, AFullPoolIsUnavailableInsteadOfGrowing) {
  PostgresOptions options;
  options.connections = 1;
  options.wait = milliseconds(20);
  options.limits.lock = options.limits.statement = milliseconds(60'000);
  const auto store = open(connection(), options);
  ASSERT_TRUE(store->create(sample_job("a"), {10}));
  pqxx::connection request(connection());
  pqxx::work work(request);
  work.exec("UPDATE jobs SET priority = 7 WHERE id = 'a'");
  std::thread waiting([&store] { EXPECT_TRUE(store->cancel("a")); });
  while (work.exec("SELECT 1 FROM pg_locks WHERE NOT granted").empty()) {
    SystemClock().sleep_for(milliseconds(10));
  }
  const auto job = store->job("a");
  work.abort();
  waiting.join();
  ASSERT_FALSE(job);
  EXPECT_EQ(job.failure().kind, FailureKind::kUnavailable);
  EXPECT_TRUE(store->job("a"));
}

TEST_F(Postgres, TurnsThatAreLostAreTakenAgain) {
  PostgresDatabase database(connection(), clock_, {});
  ASSERT_TRUE(database.migrate(postgres_migrations()));
  {
    pqxx::connection request(connection());
    pqxx::work work(request);
    work.exec(
        "CREATE FUNCTION lose_turn() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' "
        "USING ERRCODE = 'serialization_failure'; END $$");
    work.commit();
  }
  int runs = 0;
  database.write([&runs](SqlSession& session) {
    session.run("UPDATE fleet SET draining = draining + 1");
    if (++runs < 3) session.query("SELECT lose_turn()");
    return true;
  });
  EXPECT_EQ(runs, 3);
}

TEST_F(Postgres, AReadReckonsTheServersTimeForFiveSeconds) {
  testing_support::HandClock clock;
  PostgresDatabase database(connection(), clock, {});
  const auto time_of_read = [&] {
    std::int64_t time = 0;
    database.read([&](SqlSession& session) { time = session.now(); });
    return time;
  };
  const std::int64_t asked = time_of_read();
  clock.advance(milliseconds(4999));
  EXPECT_EQ(time_of_read(), asked + 4'999'000) << "it was asked again";
  clock.advance(milliseconds(1));
  const std::int64_t again = time_of_read();
  EXPECT_GE(again, asked);
  EXPECT_NE(again, asked + 5'000'000) << "it was not asked again";
  clock.advance(milliseconds(1000));
  database.write([&](SqlSession& session) {
    EXPECT_NE(session.now(), again + 1'000'000) << "a write must ask";
    return false;
  });
}

TEST_F(Postgres, ASubmissionWhoseCommitIsCutIsThereOnceOrUnavailable) {
  CommitGate gate(shared_postgres().port());
  const auto store = open(shared_postgres().connection(database_, gate.port()));
  for (const bool keyed : {true, false}) {
    for (const bool reaches_server : {true, false}) {
      jobs::NewJob order = sample_job(std::string(keyed ? "keyed" : "bare") +
                                      (reaches_server ? "-done" : "-undone"));
      if (keyed) order.idempotency_key = order.job.id;
      gate.cut_next_commit(reaches_server);
      const auto first = store->create(order, {10});
      ASSERT_EQ(first.ok(), reaches_server);
      EXPECT_EQ(store->job(order.job.id).ok(), reaches_server);
      if (!first) {
        EXPECT_EQ(first.failure().kind, FailureKind::kUnavailable);
      }
      if (!keyed) continue;
      order.job.id += "-again";
      const auto again = store->create(order, {10});
      ASSERT_TRUE(again) << again.failure().detail;
      EXPECT_EQ(again->replayed, reaches_server);
      EXPECT_EQ(again->job_id, reaches_server ? first->job_id : order.job.id);
    }
  }
  EXPECT_EQ(store->queued("acme")->all, 3);
}

TEST_F(Postgres, ACommitWhoseAnswerIsLostIsUnavailableAndNotDoneTwice) {
  CommitGate gate(shared_postgres().port());
  const auto store = open(shared_postgres().connection(database_, gate.port()));
  ASSERT_TRUE(store->create(sample_job("a"), {10}));
  gate.cut_next_commit(false);
  EXPECT_EQ(store->cancel("a").failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(store->job("a")->status, jobs::JobStatus::kQueued);
  gate.cut_next_commit(true);
  EXPECT_EQ(store->cancel("a").failure().kind, FailureKind::kUnavailable);
  EXPECT_EQ(store->job("a")->status, jobs::JobStatus::kCancelled);
  EXPECT_EQ(store->job("a")->version, 2);
}

TEST_F(Postgres, ALinkThatIsCutOutsideOfACommitCostsNothing) {
  CommitGate gate(shared_postgres().port());
  const auto store = open(shared_postgres().connection(database_, gate.port()));
  ASSERT_TRUE(store->create(sample_job("a"), {10}));
  gate.cut_all();
  EXPECT_TRUE(store->create(sample_job("b"), {10}));
  gate.cut_all();
  EXPECT_TRUE(store->job("b"));
}

}  // namespace pytoon::io
