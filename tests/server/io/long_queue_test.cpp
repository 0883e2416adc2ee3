// A queue of 10,000 jobs costs those who lease no more than a short one.
#include <gtest/gtest.h>

#include <iostream>

#include "server/io/sql_store.h"
#include "server/io/sqlite_database.h"
#include "tests/server/jobs/samples.h"

namespace pytoon::io {
using jobs::TaskKind;
using std::chrono::milliseconds;

TEST(LongQueue, LeasingStepsOverWhatWaits) {
  testing_support::HandClock clock;
  auto database = SqliteDatabase::in_memory(clock).value();
  SqliteDatabase& raw = *database;
  SqlStore store(std::move(database), clock, {});
  ASSERT_TRUE(store.create(testing_support::sample_job("first"), {10}));
  raw.write([](SqlSession& session) {
    session.run(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
        "INSERT INTO jobs (id, tenant, status, spec, priority, open_segments, created_at, "
        "updated_at) SELECT 'job' || i, 'tenant' || (i % 20), 'QUEUED', jobs.spec, 5, 3, 1, 1 "
        "FROM n, jobs WHERE jobs.id = 'first'");
    session.run(
        "INSERT INTO tasks (job_id, kind, segment, tenant, priority, seq, encoder) SELECT id, "
        "'prepare', -1, tenant, priority, seq, '' FROM jobs WHERE id <> 'first'");
    return true;
  });
  const SystemClock watch;
  const auto timed = [&watch](const char* what, int times, const auto& work) {
    const SteadyTime start = watch.steady_now();
    for (int i = 0; i < times; ++i) work();
    const std::chrono::duration<double, std::milli> spent = watch.steady_now() - start;
    std::cout << what << ": " << spent.count() / times << " ms with 10,000 jobs waiting\n";
  };
  const jobs::LeaseRequest request{
      "w", {TaskKind::kPrepare, TaskKind::kRender, TaskKind::kFinish}, {"x264"}};
  timed("lease_next", 100, [&] { EXPECT_TRUE(*store.lease_next(request, milliseconds(20'000))); });
  timed("job", 100, [&] { EXPECT_TRUE(store.job("job9999")); });
  timed("list", 20, [&] { EXPECT_TRUE(store.list("tenant7", {})); });
  std::string plan;
  raw.read([&plan](SqlSession& session) {
    for (const Row& row : session.query(
             "EXPLAIN QUERY PLAN SELECT id FROM tasks WHERE kind = 'prepare' AND encoder = '' AND "
             "engine = '' AND worker_id = '' AND tenant = 'x' AND not_before <= 5 ORDER BY "
             "priority DESC, seq, "
             "segment "
             "LIMIT 1")) {
      plan += row.text(3) + "\n";
    }
  });
  EXPECT_NE(plan.find("tasks_ready"), std::string::npos) << plan;
  EXPECT_EQ(plan.find("TEMP B-TREE"), std::string::npos) << plan;
}

}  // namespace pytoon::io
