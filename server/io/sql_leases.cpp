// SqlStore: who gets which task, and for how long.
#include <algorithm>

#include "server/io/sql_flow.h"
#include "server/io/sql_writing.h"
#include "server/jobs/lease_order.h"
#include "server/jobs/store_rules.h"

namespace pytoon::io {
using jobs::Candidate;
using jobs::Claim;
using jobs::Hand;
using jobs::Job;
using jobs::JobStatus;
using jobs::Lease;
using jobs::Slot;
using jobs::Work;
using std::chrono::milliseconds;

namespace {

constexpr int kTries = 20;  // to get a task while others take theirs
constexpr milliseconds kBetweenTries{5};

// Of each tenant with ready work the best ready task in each slot. Steps from tenant to tenant on
// the index, so that its cost does not grow with the number of jobs that wait.
std::string select_candidates(std::size_t slots) {
  std::string values;
  for (std::size_t i = 0; i < slots; ++i) values += i == 0 ? "(?, ?, ?)" : ", (?, ?, ?)";
  return "WITH RECURSIVE slots (work, encoder, engine) AS (VALUES " + values +
         "), tenants (work, encoder, engine, tenant) AS ("
         "SELECT work, encoder, engine, (SELECT t.tenant FROM tasks t WHERE t.work = slots.work "
         "AND "
         "t.encoder = slots.encoder AND t.engine = slots.engine AND t.holder = '' "
         "ORDER BY t.tenant LIMIT 1) FROM slots "
         "UNION ALL "
         "SELECT work, encoder, engine, (SELECT t.tenant FROM tasks t WHERE t.work = tenants.work "
         "AND t.encoder = tenants.encoder AND t.engine = tenants.engine AND t.holder = '' AND "
         "t.tenant > tenants.tenant ORDER BY t.tenant LIMIT 1) "
         "FROM tenants WHERE tenant IS NOT NULL) "
         "SELECT b.work, b.encoder, b.engine, b.tenant, b.priority, b.seq FROM tenants "
         "JOIN tasks b ON b.id = (SELECT t.id FROM tasks t WHERE t.work = tenants.work AND "
         "t.encoder = tenants.encoder AND t.engine = tenants.engine AND t.holder = '' AND "
         "t.tenant = tenants.tenant AND t.not_before <= ? "
         "ORDER BY t.priority DESC, t.seq, t.segment LIMIT 1)";
}

// The best ready task of a slot and tenant that nobody else is taking at this moment.
constexpr std::string_view kSelectReady =
    "SELECT id, job_id, segment, failures FROM tasks WHERE work = ? AND encoder = ? AND engine = ? "
    "AND holder = '' AND tenant = ? AND not_before <= ? ORDER BY priority DESC, seq, segment LIMIT "
    "1 "
    "{FOR UPDATE SKIP LOCKED}";

std::vector<Candidate> read_candidates(SqlSession& session, const std::vector<Slot>& slots) {
  std::vector<Param> params;
  for (const Slot& slot : slots) {
    params.emplace_back(name_of(slot.work));
    params.emplace_back(slot.encoder);
    params.emplace_back(slot.engine);
  }
  params.emplace_back(session.now());
  std::vector<Candidate> candidates;
  for (const Row& row : session.query_with(select_candidates(slots.size()), params)) {
    Candidate candidate;
    candidate.slot = {*jobs::work_from_name(row.text(0)), row.text(1), row.text(2)};
    candidate.tenant = row.text(3);
    candidate.priority = row.small(4);
    candidate.seq = row.integer(5);
    candidates.push_back(std::move(candidate));
  }
  if (candidates.empty()) return candidates;
  for (const Row& row :
       session.query("SELECT tenant, count(*) FROM tasks WHERE holder <> '' GROUP BY tenant")) {
    for (Candidate& candidate : candidates) {
      if (candidate.tenant == row.text(0)) candidate.held = row.integer(1);
    }
  }
  jobs::sort_by_turn(candidates);
  return candidates;
}

struct Ready {
  std::int64_t id = 0;
  Lease lease;
  int failures = 0;
  std::string engine;
};

std::optional<Ready> lock_ready(SqlSession& session, const std::vector<Candidate>& candidates) {
  for (const Candidate& candidate : candidates) {
    const Rows rows =
        session.query(kSelectReady, {name_of(candidate.slot.work), candidate.slot.encoder,
                                     candidate.slot.engine, candidate.tenant, session.now()});
    if (rows.empty()) continue;
    Ready ready;
    ready.id = rows[0].integer(0);
    ready.lease.job_id = rows[0].text(1);
    ready.lease.work = candidate.slot.work;
    ready.lease.segment = rows[0].small(2);
    ready.failures = rows[0].small(3);
    ready.engine = candidate.slot.engine;
    return ready;
  }
  return std::nullopt;
}

// What leasing a task changes of its job. Here the task is locked before the job, the other way
// round than in all other writes, so nothing may be waited for: false when the job is busy.
bool begin_work(SqlSession& session, const Lease& lease) {
  if (lease.work == Work::kRender) {
    session.run("UPDATE segments SET status = 'RUNNING' WHERE job_id = ? AND idx = ?",
                {lease.job_id, lease.segment});
  }
  if (lease.work != Work::kPrepare) return true;
  const Rows free = session.query("SELECT 1 FROM jobs WHERE id = ? {FOR NO KEY UPDATE SKIP LOCKED}",
                                  {lease.job_id});
  if (free.empty()) return false;
  session.run(
      "UPDATE jobs SET status = 'PLANNING', started_at = coalesce(started_at, ?), "
      "taken_at = coalesce(taken_at, ?), updated_at = ?, version = version + 1 "
      "WHERE id = ? AND status = 'QUEUED'",
      {session.now(), session.now(), session.now(), lease.job_id});
  return true;
}

bool is_held(SqlSession& session, const Lease& lease) {
  return !session
              .query(
                  "SELECT 1 FROM tasks WHERE job_id = ? AND work = ? AND segment = ? AND "
                  "epoch = ? AND holder <> ''",
                  {lease.job_id, name_of(lease.work), lease.segment, lease.epoch})
              .empty();
}

}  // namespace

Result<std::optional<Claim>> SqlStore::lease_next(const Hand& hand, milliseconds duration) {
  const std::vector<Slot> slots = jobs::slots_of(hand);
  if (slots.empty()) return std::optional<Claim>();
  for (int i = 0; i < kTries; ++i) {
    // Looking is free of locks: an idle worker must not disturb the others.
    const Result<bool> anything = reading([&](SqlSession& session) -> Result<bool> {
      return !read_candidates(session, slots).empty();
    });
    if (!anything) return anything.failure();
    if (!*anything) return std::optional<Claim>();
    Result<std::optional<Claim>> claim = try_lease(hand, duration);
    if (claim || claim.failure().kind != FailureKind::kConflict) return claim;
    clock_.sleep_for(kBetweenTries);
  }
  return std::optional<Claim>();
}

Result<std::optional<Claim>> SqlStore::try_lease(const Hand& hand, milliseconds duration) {
  const std::vector<Slot> slots = jobs::slots_of(hand);
  return writing("lease_next", [&](SqlSession& session) -> Result<std::optional<Claim>> {
    std::optional<Ready> ready = lock_ready(session, read_candidates(session, slots));
    if (!ready) return std::optional<Claim>();
    Claim claim;
    claim.lease = std::move(ready->lease);
    if (session.query("SELECT 1 FROM jobs WHERE id = ?", {claim.lease.job_id}).empty()) {
      remove_all_tasks(session, claim.lease.job_id);  // somebody deleted the job by hand
      return std::optional<Claim>();
    }
    claim.lease.holder = hand.holder;
    claim.lease.epoch = session.next_epoch();
    claim.failures = ready->failures;
    claim.engine = std::move(ready->engine);
    if (!begin_work(session, claim.lease)) {
      return failure(FailureKind::kConflict, "the job is being changed");
    }
    session.run("UPDATE tasks SET holder = ?, epoch = ?, expires_at = ?, frames = 0 WHERE id = ?",
                {hand.holder, claim.lease.epoch, session.now() + micros(duration), ready->id});
    const Rows rows = session.query(
        std::string("SELECT ") + kJobColumns + " FROM jobs WHERE id = ?", {claim.lease.job_id});
    claim.job = complete(session, read_job(rows.at(0)));
    claim.segments = read_segments(session, claim.lease.job_id);
    claim.leased_at = time_from(session.now());
    return std::optional(std::move(claim));
  });
}

Result<std::vector<Lease>> SqlStore::renew(const std::vector<Lease>& leases,
                                           milliseconds duration) {
  if (leases.empty()) return std::vector<Lease>();
  const auto renewed = [&](SqlSession& session, const Lease& lease, std::string_view lock) {
    std::string sql =
        "UPDATE tasks SET expires_at = ? WHERE id = (SELECT id FROM tasks WHERE job_id = ? AND "
        "work = ? AND segment = ? AND epoch = ? AND holder <> '' ";
    sql += std::string(lock) + ")";
    return session.run(sql, {session.now() + micros(duration), lease.job_id, name_of(lease.work),
                             lease.segment, lease.epoch}) == 1;
  };
  // All at once, but none that another transaction is busy with: waiting for several of them in no
  // order could be a deadlock.
  std::vector<Lease> rest;
  const Status most = writing("renew", [&](SqlSession& session) -> Status {
    rest.clear();
    for (const Lease& lease : leases) {
      if (!renewed(session, lease, "{FOR UPDATE SKIP LOCKED}")) rest.push_back(lease);
    }
    return ok_status();
  });
  if (!most) return most.failure();
  std::vector<Lease> gone;
  for (const Lease& lease : rest) {
    bool held = false;
    const Status one = writing("renew", [&](SqlSession& session) -> Status {
      held = renewed(session, lease, "{FOR UPDATE}");
      return ok_status();
    });
    if (!one) return one.failure();
    if (!held) gone.push_back(lease);
  }
  return gone;
}

Result<std::vector<Lease>> SqlStore::lost(const std::vector<Lease>& leases) {
  if (leases.empty()) return std::vector<Lease>();
  return reading([&](SqlSession& session) -> Result<std::vector<Lease>> {
    std::vector<Lease> gone;
    for (const Lease& lease : leases) {
      if (!is_held(session, lease)) gone.push_back(lease);
    }
    return gone;
  });
}

Status SqlStore::release(const Lease& lease, jobs::Ending ending, milliseconds delay) {
  return held_writing("release", lease, [&](SqlSession& session, Job& job) -> Status {
    const bool failed = ending != jobs::Ending::kHandedBack;
    free_task(session, job.id, {lease.work, lease.segment}, session.now() + micros(delay), failed);
    if (failed) ++job.attempts;
    count_crashes(session, job, ending == jobs::Ending::kCrashed ? 1 : 0,
                  describe(lease.work, lease.segment) + " by " + lease.holder);
    return ok_status();
  });
}

Result<int> SqlStore::hand_back_unknown(const std::string& holder,
                                        const std::vector<Lease>& known) {
  const Result<std::vector<Lease>> held =
      reading([&](SqlSession& session) -> Result<std::vector<Lease>> {
        std::vector<Lease> leases;
        for (const Row& row : session.query(
                 "SELECT job_id, work, segment, epoch FROM tasks WHERE holder = ? AND holder <> ''",
                 {holder})) {
          leases.push_back({row.text(0), *jobs::work_from_name(row.text(1)), row.small(2), holder,
                            row.integer(3)});
        }
        return leases;
      });
  if (!held) return held.failure();
  int handed_back = 0;
  for (const Lease& lease : *held) {
    const bool is_known = std::any_of(known.begin(), known.end(),
                                      [&](const Lease& one) { return one.epoch == lease.epoch; });
    if (is_known) continue;
    const Status back = release(lease, jobs::Ending::kHandedBack, milliseconds(0));
    if (!back && back.failure().kind != FailureKind::kConflict) return back.failure();
    handed_back += back.ok();
  }
  return handed_back;
}

Status SqlStore::expire_leases_except(const std::string& holder) {
  return writing("expire_leases_except", [&](SqlSession& session) -> Status {
    session.run("UPDATE tasks SET expires_at = 0 WHERE holder <> '' AND holder <> ?", {holder});
    return ok_status();
  });
}

}  // namespace pytoon::io
