// The worker's half of SqliteStore: leases, and the writes that need one.
#include "server/io/sqlite_columns.h"
#include "server/io/sqlite_store.h"
#include "server/jobs/store_rules.h"
#include "server/jobs/transitions.h"

namespace pytoon::io {
using jobs::Lease;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

// The end of every UPDATE of a worker: its last two parameters are the job and the epoch.
#define PYTOON_HELD " WHERE id = ? AND epoch = ? AND status NOT IN ('DONE', 'FAILED', 'CANCELLED')"
#define PYTOON_TOUCH "UPDATE jobs SET version = version + 1, updated_at = ?"

std::int64_t micros(milliseconds duration) { return microseconds(duration).count(); }

Status require_held(const Database& database, const Lease& lease) {
  if (database.changed_rows() == 0) return jobs::lease_lost(lease);
  return ok_status();
}

std::int64_t next_epoch(Database& database) {
  const Prepared row = database.use("UPDATE epochs SET last = last + 1 RETURNING last");
  row->step();
  const std::int64_t epoch = row->integer(0);
  row->step();
  return epoch;
}

struct Candidate {
  std::string id;
  std::string dead_holder;  // whose lease ran out
};

std::optional<Candidate> best_free(Database& database, std::int64_t now) {
  const Prepared row = database.use(kSelectFree);
  row->bind(now, now);
  if (!row->step()) return std::nullopt;
  return Candidate{row->text(0), row->text(1)};
}

}  // namespace

Result<std::optional<jobs::Claim>> SqliteStore::lease_next(const std::string& holder,
                                                           milliseconds duration) {
  return writing([&](Database& database) -> Result<std::optional<jobs::Claim>> {
    Transaction transaction(database);
    const std::optional<Candidate> candidate = best_free(database, now());
    if (!candidate) return std::optional<jobs::Claim>();
    const bool crashed = !candidate->dead_holder.empty() && candidate->dead_holder != holder;
    const Lease lease{candidate->id, holder, next_epoch(database)};
    {
      const Prepared update = database.use(
          PYTOON_TOUCH
          ", lease_holder = ?, epoch = ?, lease_expires_at = ?, attempts = attempts + ?, "
          "crashes = crashes + ? WHERE id = ?");
      update->bind(now(), holder, lease.epoch, now() + micros(duration), int{crashed}, int{crashed},
                   lease.job_id);
      update->step();
    }
    jobs::Claim claim;
    claim.lease = lease;
    {
      const Prepared row = database.use(kSelectJob);
      row->bind(lease.job_id);
      row->step();
      claim.job = read_job(*row.operator->());
    }
    claim.segments = read_segments(database, lease.job_id);
    transaction.commit();
    return std::optional(std::move(claim));
  });
}

Status SqliteStore::renew(const Lease& lease, milliseconds duration) {
  return writing([&](Database& database) -> Status {
    const Prepared update = database.use("UPDATE jobs SET lease_expires_at = ?" PYTOON_HELD);
    update->bind(now() + micros(duration), lease.job_id, lease.epoch);
    update->step();
    return require_held(database, lease);
  });
}

Status SqliteStore::check(const Lease& lease) {
  return reading([&](Database& database) -> Status {
    const Prepared row = database.use("SELECT 1 FROM jobs" PYTOON_HELD);
    row->bind(lease.job_id, lease.epoch);
    return row->step() ? ok_status() : Status(jobs::lease_lost(lease));
  });
}

Status SqliteStore::release(const Lease& lease, jobs::Ending ending, milliseconds delay) {
  const int crashed = ending == jobs::Ending::kCrashed ? 1 : 0;
  return writing([&](Database& database) -> Status {
    const Prepared update =
        database.use(PYTOON_TOUCH
                     ", lease_holder = '', not_before = ?, attempts = attempts + ?, "
                     "crashes = crashes + ?" PYTOON_HELD);
    update->bind(now(), now() + micros(delay), crashed, crashed, lease.job_id, lease.epoch);
    update->step();
    return require_held(database, lease);
  });
}

Status SqliteStore::expire_leases_except(const std::string& holder) {
  return writing([&](Database& database) -> Status {
    const Prepared update = database.use(
        "UPDATE jobs SET lease_expires_at = 0 WHERE lease_holder NOT IN ('', ?) AND "
        "status NOT IN ('DONE', 'FAILED', 'CANCELLED')");
    update->bind(holder);
    update->step();
    return ok_status();
  });
}

Status SqliteStore::move(const Lease& lease, const Move& move) {
  return writing([&](Database& database) -> Status {
    Transaction transaction(database);
    {
      const Prepared row = database.use("SELECT status FROM jobs" PYTOON_HELD);
      row->bind(lease.job_id, lease.epoch);
      if (!row->step()) return jobs::lease_lost(lease);
      const auto from = jobs::job_status_from_name(row->text(0));
      Status allowed = jobs::check_transition(*from, move.to);
      if (!allowed) return allowed;
    }
    const Prepared update = database.use(
        PYTOON_TOUCH
        ", status = ?, error = ?, progress_pct = CASE WHEN ? THEN 100 ELSE progress_pct END, "
        "completed_at = CASE WHEN ? THEN ? END" PYTOON_HELD);
    update->bind(now(), name_of(move.to), move.error, int{move.to == jobs::JobStatus::kDone},
                 int{jobs::is_terminal(move.to)}, now(), lease.job_id, lease.epoch);
    update->step();
    transaction.commit();
    return ok_status();
  });
}

Status SqliteStore::put_segment(const Lease& lease, const jobs::Segment& segment) {
  const bool done = segment.status == jobs::SegmentStatus::kDone;
  return writing([&](Database& database) -> Status {
    Transaction transaction(database);
    {
      const Prepared update = database.use(
          PYTOON_TOUCH
          ", crashes = CASE WHEN ? AND crashes < ? THEN 0 ELSE crashes END" PYTOON_HELD);
      update->bind(now(), int{done}, jobs::kCrashesBeforeCard, lease.job_id, lease.epoch);
      update->step();
    }
    if (Status held = require_held(database, lease); !held) return held;
    const Prepared row = database.use(
        "UPDATE segments SET status = ?, engine_used = ?, content_key = ?, artifact_key = ?, "
        "artifact_sha256 = ?, error = ? WHERE job_id = ? AND idx = ?");
    row->bind(name_of(segment.status), segment.engine_used, segment.content_key,
              segment.artifact_key, segment.artifact_sha256, segment.error, lease.job_id,
              segment.index);
    row->step();
    transaction.commit();
    return ok_status();
  });
}

Status SqliteStore::put_progress(const Lease& lease, int pct) {
  return writing([&](Database& database) -> Status {
    const Prepared update =
        database.use(PYTOON_TOUCH ", progress_pct = max(progress_pct, ?)" PYTOON_HELD);
    update->bind(now(), pct, lease.job_id, lease.epoch);
    update->step();
    return require_held(database, lease);
  });
}

Status SqliteStore::note_fallback(const Lease& lease, const std::string& reason) {
  return writing([&](Database& database) -> Status {
    const Prepared update =
        database.use(PYTOON_TOUCH
                     ", fallback_reason = CASE WHEN fallback_used THEN fallback_reason ELSE ? END, "
                     "fallback_used = 1" PYTOON_HELD);
    update->bind(now(), reason, lease.job_id, lease.epoch);
    update->step();
    return require_held(database, lease);
  });
}

#undef PYTOON_HELD
#undef PYTOON_TOUCH

}  // namespace pytoon::io
