#include "tests/server/io/store_fixture.h"

#include <pqxx/pqxx>

#include "tests/support/postgres.h"

namespace pytoon::testing_support {
using jobs::Claim;
using jobs::Hand;
using jobs::Job;
using jobs::Segment;
using jobs::SegmentStatus;
using jobs::Work;
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
    io::Database hand(file, io::Database::Access::kWrite, milliseconds(1000));
    hand.run(sql.c_str());
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
         ", taken_at = taken_at" + by + "; UPDATE purchases SET reserved_at = reserved_at" + by +
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
    pqxx::connection hand(connection);
    pqxx::work work(hand);
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

std::optional<Claim> StoreContract::try_lease(const Hand& hand) {
  Result<std::optional<Claim>> claim = store_->lease_next(hand, kLease);
  EXPECT_TRUE(claim) << claim.failure().detail;
  return claim ? *claim : std::nullopt;
}

Claim StoreContract::lease(const std::string& holder) {
  std::optional<Claim> claim = try_lease(any_hand(holder));
  EXPECT_TRUE(claim) << "nothing to lease";
  return claim.value_or(Claim{});
}

Claim StoreContract::lease(Work work, const std::string& holder) {
  Hand hand = any_hand(holder);
  hand.works = {work};
  std::optional<Claim> claim = try_lease(hand);
  EXPECT_TRUE(claim) << "no " << name_of(work) << " to lease";
  return claim.value_or(Claim{});
}

bool StoreContract::nothing_to_lease() { return !try_lease(any_hand()); }

void StoreContract::prepare(const Claim& claim, bool decided, bool sound) {
  ASSERT_EQ(claim.lease.work, Work::kPrepare);
  jobs::Preparation preparation;
  preparation.encoder = "x264";
  preparation.segments = claim.segments;
  preparation.sound = sound;
  for (Segment& segment : preparation.segments) {
    if (decided && !segment.footage) segment.footage = render::Footage::kImages;
  }
  const Status done = store_->prepared(claim.lease, preparation);
  ASSERT_TRUE(done) << done.failure().detail;
}

void StoreContract::render(const Claim& claim) {
  ASSERT_EQ(claim.lease.work, Work::kRender);
  Segment segment = claim.segments[static_cast<std::size_t>(claim.lease.segment)];
  segment.artifact_key = "segments/" + std::to_string(claim.lease.epoch);
  const Status done = store_->segment_done(claim.lease, segment, 1.5);
  ASSERT_TRUE(done) << done.failure().detail;
}

void StoreContract::create_prepared(const std::string& id, int segments, bool sound) {
  create(id, "acme", 5, segments);
  prepare(lease(Work::kPrepare), true, sound);
}

void StoreContract::walk_to_done(const std::string& id) {
  while (!is_terminal(job(id).status)) {
    const Claim claim = lease();
    ASSERT_EQ(claim.job.id, id);
    if (claim.lease.work == Work::kPrepare) prepare(claim);
    if (claim.lease.work == Work::kRender) render(claim);
    if (claim.lease.work == Work::kFinish) {
      ASSERT_TRUE(store_->finished(claim.lease, ""));
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

Hand any_hand(const std::string& holder) {
  return {holder,
          {Work::kPrepare, Work::kFootage, Work::kSound, Work::kRender, Work::kFinish},
          {"x264"}};
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract, testing::ValuesIn(all_stores()),
                         [](const auto& store) { return store.param.name; });

}  // namespace pytoon::testing_support
