#include "tests/server/io/store_fixture.h"

#include <pqxx/pqxx>

#include "tests/support/postgres.h"

namespace pytoon::testing_support {
using jobs::Job;
using jobs::LeasedTask;
using jobs::LeaseRequest;
using jobs::Segment;
using jobs::SegmentStatus;
using jobs::TaskKind;
using std::chrono::milliseconds;

namespace {

StoreUnderTest make_memory(HandClock& clock, const std::filesystem::path& /*folder*/) {
  auto database = io::SqliteDatabase::in_memory(clock).value();
  io::SqliteDatabase* const raw = database.get();
  StoreUnderTest made;
  made.store = std::make_unique<io::SqlStore>(std::move(database), clock, io::StoreOptions{});
  made.by_hand = [raw](const std::string& sql) {
    raw->write([&sql](io::SqlSession& session) {
      session.run(sql);
      return true;
    });
  };
  made.advance = [&clock](milliseconds time) { clock.advance(time); };
  return made;
}

StoreUnderTest make_sqlite(HandClock& clock, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "pytoon.db";
  StoreUnderTest made;
  made.store = io::open_sqlite_store(file, clock).value();
  made.by_hand = [file](const std::string& sql) {
    io::Database request(file, io::Database::Access::kWrite, milliseconds(1000));
    request.run(sql.c_str());
  };
  made.advance = [&clock](milliseconds time) { clock.advance(time); };
  return made;
}

// The database keeps its own time: it goes by when all that was written down moves into the past.
std::string shift_sql(milliseconds time) {
  const std::string by = " - " + std::to_string(std::chrono::microseconds(time).count());
  return "UPDATE tasks SET expires_at = expires_at" + by + ", not_before = not_before" + by +
         "; UPDATE outbox SET due_at = due_at" + by + "; UPDATE workers SET seen_at = seen_at" +
         by + ", started_at = started_at" + by + "; UPDATE jobs SET created_at = created_at" + by +
         ", taken_at = taken_at" + by + ", completed_at = completed_at" + by +
         "; UPDATE assets SET last_used_at = last_used_at" + by +
         "; UPDATE idempotency_records SET created_at = created_at" + by +
         "; UPDATE dead_letters SET at = at" + by + "; UPDATE gc_schedule SET next_at = next_at" +
         by + "; UPDATE fleet SET reap_at = reap_at" + by +
         "; UPDATE deletions SET due_at = due_at" + by +
         "; UPDATE purchases SET reserved_at = reserved_at" + by +
         "; UPDATE spend SET changed_at = changed_at" + by +
         "; UPDATE spend SET account = 'day/' || (substr(account, 5)::timestamp - interval '" +
         std::to_string(std::chrono::floor<std::chrono::days>(time).count()) +
         " days')::date WHERE account LIKE 'day/%'";
}

StoreUnderTest make_postgres(HandClock& /*clock*/, const std::filesystem::path& /*folder*/) {
  static SystemClock waiting;
  PostgresServer& server = shared_postgres();
  const std::string connection = server.connection(server.create_database());
  StoreUnderTest made;
  made.store = io::open_postgres_store(connection, waiting).value();
  made.by_hand = [connection](const std::string& sql) {
    pqxx::connection own(connection);
    pqxx::work work(own);
    work.exec(sql);
    work.commit();
  };
  made.advance = [by_hand = made.by_hand](milliseconds time) { by_hand(shift_sql(time)); };
  return made;
}

}  // namespace

void PrintTo(const StoreMaker& maker, std::ostream* out) { *out << maker.name; }

std::vector<StoreMaker> all_stores() {
  return {{"memory", make_memory}, {"sqlite", make_sqlite}, {"postgres", make_postgres}};
}

void StoreContract::SetUp() {
  made_ = GetParam().make(clock_, folder_.path());
  store_ = made_.store.get();
}

void StoreContract::create(const std::string& id, const std::string& tenant, int priority,
                           int segments) {
  const auto created = store_->create(sample_job(id, tenant, priority, segments), kPlenty);
  ASSERT_TRUE(created) << created.failure().detail;
}

void StoreContract::create_told(const std::string& id) {
  jobs::NewJob order = sample_job(id);
  order.job.webhook_url = "https://example.com/hook";
  ASSERT_TRUE(store_->create(order, kPlenty));
}

std::optional<LeasedTask> StoreContract::try_lease(const LeaseRequest& request) {
  Result<std::optional<LeasedTask>> leased = store_->lease_next(request, kLease);
  EXPECT_TRUE(leased) << leased.failure().detail;
  return leased ? *leased : std::nullopt;
}

LeasedTask StoreContract::lease(const std::string& worker_id) {
  std::optional<LeasedTask> leased = try_lease(any_hand(worker_id));
  EXPECT_TRUE(leased) << "nothing to lease";
  return leased.value_or(LeasedTask{});
}

LeasedTask StoreContract::lease(TaskKind kind, const std::string& worker_id) {
  LeaseRequest request = any_hand(worker_id);
  request.kinds = {kind};
  std::optional<LeasedTask> leased = try_lease(request);
  EXPECT_TRUE(leased) << "no " << name_of(kind) << " to lease";
  return leased.value_or(LeasedTask{});
}

bool StoreContract::nothing_to_lease() { return !try_lease(any_hand()); }

void StoreContract::prepare(const LeasedTask& leased, bool decided, bool audio) {
  ASSERT_EQ(leased.lease.kind, TaskKind::kPrepare);
  jobs::PrepareResult preparation;
  preparation.encoder = "x264";
  preparation.segments = leased.segments;
  preparation.audio = audio;
  for (Segment& segment : preparation.segments) {
    if (decided && !segment.footage) segment.footage = plan::SourceKind::kImages;
  }
  const Status done = store_->prepared(leased.lease, preparation);
  ASSERT_TRUE(done) << done.failure().detail;
}

void StoreContract::render(const LeasedTask& leased) {
  ASSERT_EQ(leased.lease.kind, TaskKind::kRender);
  Segment segment = leased.segments[static_cast<std::size_t>(leased.lease.segment)];
  segment.artifact_key = "segments/" + std::to_string(leased.lease.epoch);
  const Status done = store_->segment_done(leased.lease, segment, 1.5);
  ASSERT_TRUE(done) << done.failure().detail;
}

void StoreContract::create_prepared(const std::string& id, int segments, bool audio) {
  create(id, "acme", 5, segments);
  prepare(lease(TaskKind::kPrepare), true, audio);
}

void StoreContract::walk_to_done(const std::string& id) {
  while (!is_terminal(job(id).status)) {
    const LeasedTask leased = lease();
    ASSERT_EQ(leased.job.id, id);
    if (leased.lease.kind == TaskKind::kPrepare) prepare(leased);
    if (leased.lease.kind == TaskKind::kRender) render(leased);
    if (leased.lease.kind == TaskKind::kFinish) {
      ASSERT_TRUE(store_->finished(leased.lease, ""));
    }
  }
}

Job StoreContract::job(const std::string& id) {
  Result<Job> job = store_->job(id);
  EXPECT_TRUE(job) << job.failure().detail;
  return *job;
}

std::vector<Segment> StoreContract::segments(const std::string& id) {
  return store_->segments(id).value();
}

void StoreContract::fail_by_hand(const std::string& id, const std::string& error) {
  made_.by_hand("UPDATE jobs SET status = 'FAILED', error = '" + error + "' WHERE id = '" + id +
                "'");
}

testing::AssertionResult refused(const Status& status) {
  if (status) return testing::AssertionFailure() << "it was accepted";
  if (status.failure().kind == FailureKind::kConflict) return testing::AssertionSuccess();
  return testing::AssertionFailure() << status.failure().detail;
}

LeaseRequest any_hand(const std::string& worker_id) {
  return {worker_id,
          {TaskKind::kPrepare, TaskKind::kFootage, TaskKind::kAudio, TaskKind::kRender,
           TaskKind::kFinish},
          {"x264"}};
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, testing::ValuesIn(all_stores()),
                         [](const auto& store) { return store.param.name; });

}  // namespace pytoon::testing_support
