// SqlStore: who gets which task, and for how long.
#include <algorithm>
#include <set>

#include "server/io/sql_flow.h"
#include "server/io/sql_lease_order.h"
#include "server/io/sql_writing.h"
#include "server/jobs/store_rules.h"

namespace pytoon::io {
using jobs::Candidate;
using jobs::Job;
using jobs::JobStatus;
using jobs::Lease;
using jobs::LeasedTask;
using jobs::LeaseRequest;
using jobs::Slot;
using jobs::TaskKind;
using std::chrono::milliseconds;

namespace {

constexpr int kTries = 20;  // to get a task while others take theirs
constexpr milliseconds kBetweenTries{5};

// The best ready task of a slot and tenant that nobody else is taking at this moment.
constexpr std::string_view kSelectReady =
    "SELECT id, job_id, segment, failures FROM tasks WHERE kind = ? AND encoder = ? AND engine = ? "
    "AND worker_id = '' AND tenant = ? AND not_before <= ? "
    "ORDER BY priority DESC, seq, segment LIMIT 1 {FOR UPDATE SKIP LOCKED}";

struct Ready {
  std::int64_t id = 0;
  Lease lease;
  int failures = 0;
  Slot slot;
};

std::optional<Ready> lock_ready(SqlSession& session, const LeaseOrder& order) {
  for (const Candidate& candidate : order.candidates) {
    const Rows rows =
        session.query(kSelectReady, {name_of(candidate.slot.kind), candidate.slot.encoder,
                                     candidate.slot.engine, candidate.tenant, order.read_at});
    if (rows.empty()) continue;
    Ready ready;
    ready.id = rows[0].integer(0);
    ready.lease.job_id = rows[0].text(1);
    ready.lease.kind = candidate.slot.kind;
    ready.lease.segment = rows[0].small(2);
    ready.failures = rows[0].small(3);
    ready.slot = candidate.slot;
    return ready;
  }
  return std::nullopt;
}

// The job whose work begins, as it is from now on: its prepare task moves it to PLANNING. Here the
// task is locked before the job, the other way round than in all other writes, so nothing may be
// waited for: nullopt when the job is busy, or gone.
std::optional<Job> begin_job(SqlSession& session, const Lease& lease) {
  static const std::string begin =
      std::string(
          "UPDATE jobs SET status = 'PLANNING', started_at = coalesce(started_at, ?), "
          "taken_at = coalesce(taken_at, ?), updated_at = ?, version = version + 1 WHERE id = "
          "(SELECT id FROM jobs WHERE id = ? AND status = 'QUEUED' "
          "{FOR NO KEY UPDATE SKIP LOCKED}) RETURNING ") +
      kJobColumns;
  static const std::string select =
      std::string("SELECT ") + kJobColumns + " FROM jobs WHERE id = ?";
  static const std::string lock = select + " {FOR NO KEY UPDATE SKIP LOCKED}";
  const bool prepares = lease.kind == TaskKind::kPrepare;
  if (prepares) {
    const Rows begun =
        session.query(begin, {session.now(), session.now(), session.now(), lease.job_id});
    if (!begun.empty()) return read_job(begun[0]);
  }
  const Rows rows = session.query(prepares ? lock : select, {lease.job_id});
  if (rows.empty()) return std::nullopt;
  return read_job(rows[0]);
}

bool exists(SqlSession& session, const std::string& job_id) {
  return !session.query("SELECT 1 FROM jobs WHERE id = ?", {job_id}).empty();
}

// Those of the leases whose epoch no row names. One lease is one epoch, in all of the store.
std::vector<Lease> without(const std::vector<Lease>& leases, const Rows& epochs) {
  std::set<std::int64_t> named;
  for (const Row& row : epochs) named.insert(row.integer(0));
  std::vector<Lease> rest;
  for (const Lease& lease : leases) {
    if (!named.contains(lease.epoch)) rest.push_back(lease);
  }
  return rest;
}

}  // namespace

Result<std::optional<LeasedTask>> SqlStore::lease_next(const LeaseRequest& request,
                                                       milliseconds duration) {
  const std::vector<Slot> slots = jobs::slots_of(request);
  if (slots.empty()) return std::optional<LeasedTask>();
  for (int i = 0; i < kTries; ++i) {
    // Looking is free of locks: an idle worker must not disturb the others. Who looks at the same
    // moment sees the same order, and is served of it one after the other.
    const Result<LeaseOrder> order = reading([&](SqlSession& session) -> Result<LeaseOrder> {
      return read_lease_order(session, slots);
    });
    if (!order) return order.failure();
    if (order->candidates.empty()) return std::optional<LeasedTask>();
    Result<std::optional<LeasedTask>> leased = try_lease(request, *order, duration);
    if (leased ? leased->has_value() : leased.failure().kind != FailureKind::kConflict) {
      return leased;
    }
    clock_.sleep_for(kBetweenTries);
  }
  return std::optional<LeasedTask>();
}

// Each statement is a round trip, while which the task is locked: what can be one is one.
Result<std::optional<LeasedTask>> SqlStore::try_lease(const LeaseRequest& request,
                                                      const LeaseOrder& order,
                                                      milliseconds duration) {
  return writing("lease_next", [&](SqlSession& session) -> Result<std::optional<LeasedTask>> {
    std::optional<Ready> ready = lock_ready(session, order);
    if (!ready) return std::optional<LeasedTask>();
    LeasedTask leased;
    leased.lease = std::move(ready->lease);
    leased.lease.worker_id = request.worker_id;
    leased.lease.epoch = session.next_epoch();
    leased.failures = ready->failures;
    leased.engine = ready->slot.engine;
    session.run(
        "UPDATE tasks SET worker_id = ?, epoch = ?, expires_at = ?, frames = 0, alone = 0, "
        "waiting_for = '', waiting_since = NULL WHERE id = ?",
        {request.worker_id, leased.lease.epoch, session.now() + micros(duration), ready->id});
    std::optional<Job> job = begin_job(session, leased.lease);
    if (!job) {
      if (exists(session, leased.lease.job_id)) {
        return failure(FailureKind::kConflict, "the job is being changed");
      }
      remove_all_tasks(session, leased.lease.job_id);  // somebody deleted the job by hand
      return std::optional<LeasedTask>();
    }
    if (leased.lease.kind == TaskKind::kRender) {
      session.run("UPDATE segments SET status = 'RUNNING' WHERE job_id = ? AND idx = ?",
                  {leased.lease.job_id, leased.lease.segment});
    }
    leased.job = complete(session, std::move(*job));
    leased.segments = read_segments(session, leased.lease.job_id);
    leased.leased_at = time_from(session.now());
    // Last, since all leases of the tenant's lane take turns from here to the commit.
    note_turn(session, leased, ready->slot);
    return std::optional(std::move(leased));
  });
}

Result<std::vector<Lease>> SqlStore::renew(const std::vector<Lease>& leases,
                                           milliseconds duration) {
  if (leases.empty()) return std::vector<Lease>();
  // Gives those that were not renewed.
  const auto renew_by = [&](const std::vector<Lease>& asked, std::string_view lock) {
    return writing("renew", [&](SqlSession& session) -> Result<std::vector<Lease>> {
      std::vector<Param> params{session.now() + micros(duration)};
      for (const Lease& lease : asked) params.emplace_back(lease.epoch);
      std::string sql =
          "UPDATE tasks SET expires_at = ? WHERE id IN (SELECT id FROM tasks WHERE worker_id <> '' "
          "AND epoch IN (" +
          parameters(asked.size()) + ") ";
      sql += std::string(lock) + ") RETURNING epoch";
      return without(asked, session.query_with(sql, params));
    });
  };
  // All at once, but none that another transaction is busy with: waiting for several of them in no
  // order could be a deadlock.
  const Result<std::vector<Lease>> rest = renew_by(leases, "{FOR UPDATE SKIP LOCKED}");
  if (!rest) return rest;
  std::vector<Lease> gone;
  for (const Lease& lease : *rest) {
    const Result<std::vector<Lease>> one = renew_by({lease}, "{FOR UPDATE}");
    if (!one) return one;
    gone.insert(gone.end(), one->begin(), one->end());
  }
  return gone;
}

Result<std::vector<Lease>> SqlStore::lost(const std::vector<Lease>& leases) {
  if (leases.empty()) return std::vector<Lease>();
  return reading([&](SqlSession& session) -> Result<std::vector<Lease>> {
    std::vector<Param> params;
    for (const Lease& lease : leases) params.emplace_back(lease.epoch);
    return without(leases, session.query_with("SELECT epoch FROM tasks WHERE worker_id <> '' AND "
                                              "epoch IN (" +
                                                  parameters(leases.size()) + ")",
                                              params));
  });
}

Status SqlStore::put_alone(const Lease& lease) {
  return held_writing("put_alone", lease, [&](SqlSession& session, Job& job) -> Status {
    session.run("UPDATE tasks SET alone = 1 WHERE job_id = ? AND kind = ? AND segment = ?",
                {job.id, name_of(lease.kind), lease.segment});
    return ok_status();
  });
}

Status SqlStore::release(const Lease& lease, jobs::ReleaseReason ending, milliseconds delay) {
  return held_writing("release", lease, [&](SqlSession& session, Job& job) -> Status {
    const bool failed = ending != jobs::ReleaseReason::kHandedBack;
    free_task(session, job.id, {lease.kind, lease.segment}, session.now() + micros(delay), failed);
    if (failed) ++job.attempts;
    count_crashes(session, job, ending == jobs::ReleaseReason::kCrashed ? 1 : 0,
                  describe(lease.kind, lease.segment) + " by " + lease.worker_id);
    return ok_status();
  });
}

Result<int> SqlStore::hand_back_unknown(const std::string& worker_id,
                                        const std::vector<Lease>& known) {
  const Result<std::vector<Lease>> held =
      reading([&](SqlSession& session) -> Result<std::vector<Lease>> {
        std::vector<Lease> leases;
        for (const Row& row : session.query("SELECT job_id, kind, segment, epoch FROM tasks WHERE "
                                            "worker_id = ? AND worker_id <> ''",
                                            {worker_id})) {
          leases.push_back({row.text(0), *jobs::task_kind_from_name(row.text(1)), row.small(2),
                            worker_id, row.integer(3)});
        }
        return leases;
      });
  if (!held) return held.failure();
  int handed_back = 0;
  for (const Lease& lease : *held) {
    const bool is_known = std::any_of(known.begin(), known.end(),
                                      [&](const Lease& one) { return one.epoch == lease.epoch; });
    if (is_known) continue;
    const Status back = release(lease, jobs::ReleaseReason::kHandedBack, milliseconds(0));
    if (!back && back.failure().kind != FailureKind::kConflict) return back.failure();
    handed_back += back.ok();
  }
  return handed_back;
}

Status SqlStore::expire_leases_except(const std::string& worker_id) {
  return writing("expire_leases_except", [&](SqlSession& session) -> Status {
    session.run("UPDATE tasks SET expires_at = 0 WHERE worker_id <> '' AND worker_id <> ?",
                {worker_id});
    return ok_status();
  });
}

}  // namespace pytoon::io
