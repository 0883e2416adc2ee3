// A process ends with _exit() at every boundary of a commit that a job's life passes, one after the
// other; the next process finishes the job to the same bytes, once. On the embedded database and on
// PostgreSQL.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "tests/chaos/crash_life.h"
#include "tests/support/postgres.h"

namespace pytoon::chaos {
namespace fs = std::filesystem;
using testing_support::HandClock;
using testing_support::TemporaryFolder;

namespace {

constexpr int kDied = 9;
constexpr int kLived = 0;

// Every name that the store gives a commit: a new one must find its place in a life.
const std::vector<std::string> kCommits{
    "begin_gc_pass", "cancel",        "conclude_event",  "condemn",
    "create",        "degrade",       "delete_asset",    "delete_job",
    "deleted",       "expire_assets", "expire_jobs",     "expire_leases_except",
    "failed",        "finished",      "footage_decided", "force_fail",
    "purge_spend",   "keep_asset",    "lease_next",      "note_fallback",
    "prepared",      "put_alone",     "purge_rows",      "put_progress",
    "upsert_worker", "reap",          "redeliver",       "release",
    "remove_worker", "renew",         "restart",         "retry",
    "segment_done",  "set_draining",  "audio_made",      "take_deletions",
    "take_events",   "put_waiting"};

struct Database {
  std::string name;
  // A fresh, empty one.
  std::function<OpenStore(const fs::path& folder, Clock& clock)> make;
};
void PrintTo(const Database& database, std::ostream* out) { *out << database.name; }

OpenStore make_sqlite(const fs::path& folder, Clock& clock) {
  return [file = folder / "pytoon.db", &clock](io::StoreOptions options) {
    return io::open_sqlite_store(file, clock, {}, std::move(options)).value();
  };
}

OpenStore make_postgres(const fs::path& /*folder*/, Clock& clock) {
  auto& server = testing_support::shared_postgres();
  const std::string connection = server.connection(server.create_database());
  return [connection, &clock](io::StoreOptions options) {
    io::PostgresOptions small;
    small.connections = 1;
    return io::open_postgres_store(connection, clock, small, std::move(options)).value();
  };
}

// SQLite's time is ours to move; PostgreSQL has its own.
std::unique_ptr<Clock> clock_for(const Database& database) {
  if (database.name == "sqlite") return std::make_unique<HandClock>();
  return std::make_unique<SystemClock>();
}

jobs::JobStatus end_of(Life life) {
  if (life == Life::kHopeless) return jobs::JobStatus::kFailed;
  return life == Life::kCancelled ? jobs::JobStatus::kCancelled : jobs::JobStatus::kDone;
}

// "segment_done.before_commit", for the so-manieth time.
struct Boundary {
  std::string name;
  int time = 1;
};
using Boundaries = std::vector<Boundary>;

}  // namespace

class CrashPoints : public testing::TestWithParam<Database> {
 protected:
  struct Simulation {
    TemporaryFolder folder;
    std::unique_ptr<Clock> clock;
    OpenStore open;
  };

  static std::unique_ptr<Simulation> fresh_world() {
    auto world = std::make_unique<Simulation>();
    world->clock = clock_for(GetParam());
    world->open = GetParam().make(world->folder.path(), *world->clock);
    return world;
  }

  static Outcome calm(Life life, Boundaries& boundaries) {
    const auto world = fresh_world();
    std::map<std::string, int> times;
    CrashLife alive(life, world->folder.path(), world->open, *world->clock,
                    [&](std::string_view at) {
                      const std::string name(at);
                      boundaries.push_back({name, ++times[name]});
                    });
    alive.live();
    return alive.outcome();
  }

  [[noreturn]] static void live_until(Life life, const Simulation& world, const Boundary& end) {
    int times = 0;
    CrashLife doomed(life, world.folder.path(), world.open, *world.clock, [&](std::string_view at) {
      if (at == end.name && ++times == end.time) ::_exit(kDied);
    });
    doomed.live();
    ::_exit(kLived);
  }

  static testing::AssertionResult dies_at(Life life, const Simulation& world, const Boundary& end) {
    const pid_t child = ::fork();
    if (child == 0) live_until(life, world, end);
    int status = 0;
    if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
      return testing::AssertionFailure() << "the child ended by status " << status;
    }
    if (WEXITSTATUS(status) == kDied) return testing::AssertionSuccess();
    return testing::AssertionFailure() << end.name << " was not reached";
  }

  static void expect_same(const Outcome& made, const Outcome& undisturbed) {
    EXPECT_EQ(made.status, undisturbed.status);
    if (undisturbed.status == jobs::JobStatus::kDone) {
      EXPECT_EQ(made.files, undisturbed.files);
    } else {  // how far it came before depends on who was first
      EXPECT_FALSE(made.files.contains("jobs/a/output.mp4"));
    }
    EXPECT_EQ(made.fallback, undisturbed.fallback);
    EXPECT_EQ(made.jobs, 1);
    EXPECT_EQ(made.events, undisturbed.events);
    EXPECT_TRUE(made.whole);
    EXPECT_LE(made.renders, undisturbed.renders + 1);  // what was being drawn, at most
  }

  static void crash_and_recover(Life life, const Boundary& end, const Outcome& undisturbed) {
    const auto world = fresh_world();
    ASSERT_TRUE(dies_at(life, *world, end));
    CrashLife next(life, world->folder.path(), world->open, *world->clock, nullptr);
    next.take_over();
    next.live();
    expect_same(next.outcome(), undisturbed);
    EXPECT_TRUE(fs::is_empty(world->folder.path() / "storage" / ".tmp"));
  }
};

TEST_P(CrashPoints, EachLeadsToTheSameBytesOnce) {
  std::set<std::string> hit;
  int crashes = 0;
  for (const auto& [life, name] : all_lives()) {
    Boundaries boundaries;
    const Outcome undisturbed = calm(life, boundaries);
    ASSERT_EQ(undisturbed.status, end_of(life)) << name;
    for (const Boundary& end : boundaries) {
      // In the plain life each time, in the others what that did not pass.
      if (life != Life::kPlain && hit.contains(end.name)) continue;
      SCOPED_TRACE(name + ": " + end.name + ", time " + std::to_string(end.time));
      crash_and_recover(life, end, undisturbed);
      if (HasFailure()) return;
      hit.insert(end.name);
      ++crashes;
    }
  }
  std::cout << GetParam().name << ": " << crashes << " crashes at " << hit.size()
            << " points, each proved hit:\n";
  for (const std::string& point : hit) std::cout << "  " << point << "\n";
  std::set<std::string> all;
  for (const std::string& commit : kCommits) {
    all.insert({commit + ".before_commit", commit + ".after_commit"});
  }
  EXPECT_EQ(hit, all);
}

INSTANTIATE_TEST_SUITE_P(Databases, CrashPoints,
                         testing::Values(Database{"sqlite", make_sqlite},
                                         Database{"postgres", make_postgres}),
                         [](const auto& database) { return database.param.name; });

}  // namespace pytoon::chaos
