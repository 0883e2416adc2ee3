// SqlStore: who gets which task, and for how long.
#include <algorithm>

#include "server/io/sql_flow.h"
#include "server/io/sql_writing.h"
#include "server/jobs/lease_order.h"
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

// Of each tenant with ready work the best ready task in each slot. Steps from tenant to tenant on
// the index, so that its cost does not grow with the number of jobs that wait.
std::string select_candidates(std::size_t slots) {
  std::string values;
  for (std::size_t i = 0; i < slots; ++i) values += i == 0 ? "(?, ?, ?)" : ", (?, ?, ?)";
  return "WITH RECURSIVE slots (kind, encoder, engine) AS (VALUES " + values +
         "), tenants (kind, encoder, engine, tenant) AS ("
         "SELECT kind, encoder, engine, (SELECT t.tenant FROM tasks t WHERE t.kind = slots.kind "
         "AND "
         "t.encoder = slots.encoder AND t.engine = slots.engine AND t.worker_id = '' "
         "ORDER BY t.tenant LIMIT 1) FROM slots "
         "UNION ALL "
         "SELECT kind, encoder, engine, (SELECT t.tenant FROM tasks t WHERE t.kind = tenants.kind "
         "AND t.encoder = tenants.encoder AND t.engine = tenants.engine AND t.worker_id = '' AND "
         "t.tenant > tenants.tenant ORDER BY t.tenant LIMIT 1) "
         "FROM tenants WHERE tenant IS NOT NULL) "
         "SELECT b.kind, b.encoder, b.engine, b.tenant, b.priority, b.seq FROM tenants "
         "JOIN tasks b ON b.id = (SELECT t.id FROM tasks t WHERE t.kind = tenants.kind AND "
         "t.encoder = tenants.encoder AND t.engine = tenants.engine AND t.worker_id = '' AND "
         "t.tenant = tenants.tenant AND t.not_before <= ? "
         "ORDER BY t.priority DESC, t.seq, t.segment LIMIT 1)";
}

// The best ready task of a slot and tenant that nobody else is taking at this moment.
constexpr std::string_view kSelectReady =
    "SELECT id, job_id, segment, failures FROM tasks WHERE kind = ? AND encoder = ? AND engine = ? "
    "AND worker_id = '' AND tenant = ? AND not_before <= ? ORDER BY priority DESC, seq, segment "
    "LIMIT "
    "1 "
    "{FOR UPDATE SKIP LOCKED}";

jobs::Turn read_turn(SqlSession& session, const std::string& tenant, const std::string& lane) {
  const Rows rows = session.query(
      "SELECT start, finish FROM tenant_turns WHERE tenant = ? AND lane = ? {FOR UPDATE}",
      {tenant, lane});
  return rows.empty() ? jobs::Turn() : jobs::Turn{rows[0].integer(0), rows[0].integer(1)};
}

std::int64_t read_latest(SqlSession& session, const std::string& lane) {
  return session.query("SELECT coalesce(max(start), 0) FROM tenant_turns WHERE lane = ?", {lane})
      .at(0)
      .integer(0);
}

void read_leads(SqlSession& session, std::vector<Candidate>& candidates) {
  for (const Row& row : session.query(
           "SELECT t.tenant, t.lane, t.finish - l.latest FROM (SELECT lane, max(start) AS latest "
           "FROM tenant_turns GROUP BY lane) l JOIN tenant_turns t ON t.lane = l.lane AND "
           "t.finish > l.latest")) {
    for (Candidate& candidate : candidates) {
      const bool its =
          candidate.tenant == row.text(0) && jobs::lane_of(candidate.slot) == row.text(1);
      if (its) candidate.lead = row.integer(2);
    }
  }
}

void count_held(SqlSession& session, std::vector<Candidate>& candidates) {
  for (const Row& row : session.query("SELECT tenant, kind, engine, count(*) FROM tasks WHERE "
                                      "worker_id <> '' GROUP BY tenant, kind, engine")) {
    const std::string lane =
        jobs::lane_of({*jobs::task_kind_from_name(row.text(1)), "", row.text(2)});
    for (Candidate& candidate : candidates) {
      const bool counts = candidate.tenant == row.text(0) && jobs::lane_of(candidate.slot) == lane;
      if (counts) candidate.held += row.integer(3);
    }
  }
}

void read_weights(SqlSession& session, std::vector<Candidate>& candidates) {
  for (const Row& row : session.query("SELECT tenant, weight FROM tenant_weights")) {
    for (Candidate& candidate : candidates) {
      if (candidate.tenant == row.text(0)) candidate.weight = row.small(1);
    }
  }
}

std::vector<Candidate> read_candidates(SqlSession& session, const std::vector<Slot>& slots) {
  std::vector<Param> params;
  for (const Slot& slot : slots) {
    params.emplace_back(name_of(slot.kind));
    params.emplace_back(slot.encoder);
    params.emplace_back(slot.engine);
  }
  params.emplace_back(session.now());
  std::vector<Candidate> candidates;
  for (const Row& row : session.query_with(select_candidates(slots.size()), params)) {
    Candidate candidate;
    candidate.slot = {*jobs::task_kind_from_name(row.text(0)), row.text(1), row.text(2)};
    candidate.tenant = row.text(3);
    candidate.priority = row.small(4);
    candidate.seq = row.integer(5);
    candidates.push_back(std::move(candidate));
  }
  if (candidates.empty()) return candidates;
  count_held(session, candidates);
  read_weights(session, candidates);
  read_leads(session, candidates);
  jobs::sort_by_turn(candidates);
  return candidates;
}

struct Ready {
  std::int64_t id = 0;
  Lease lease;
  int failures = 0;
  Slot slot;
  int weight = 1;  // of its tenant
};

// The tenant got a piece of work.
void note_turn(SqlSession& session, const LeasedTask& leased, const Ready& ready) {
  const std::string lane = jobs::lane_of(ready.slot);
  const auto index = static_cast<std::size_t>(leased.lease.segment);
  const int seconds = index < leased.segments.size() ? leased.segments[index].duration_seconds : 0;
  const jobs::Turn turn =
      jobs::next_turn(read_turn(session, leased.job.tenant, lane), read_latest(session, lane),
                      jobs::work_of(leased.lease.kind, seconds) / ready.weight);
  session.run(
      "INSERT INTO tenant_turns (tenant, lane, start, finish) VALUES (?, ?, ?, ?) ON CONFLICT "
      "(tenant, lane) DO UPDATE SET start = excluded.start, finish = excluded.finish",
      {leased.job.tenant, lane, turn.start, turn.finish});
}

std::optional<Ready> lock_ready(SqlSession& session, const std::vector<Candidate>& candidates) {
  for (const Candidate& candidate : candidates) {
    const Rows rows =
        session.query(kSelectReady, {name_of(candidate.slot.kind), candidate.slot.encoder,
                                     candidate.slot.engine, candidate.tenant, session.now()});
    if (rows.empty()) continue;
    Ready ready;
    ready.id = rows[0].integer(0);
    ready.lease.job_id = rows[0].text(1);
    ready.lease.kind = candidate.slot.kind;
    ready.lease.segment = rows[0].small(2);
    ready.failures = rows[0].small(3);
    ready.slot = candidate.slot;
    ready.weight = candidate.weight;
    return ready;
  }
  return std::nullopt;
}

// What leasing a task changes of its job. Here the task is locked before the job, the other way
// round than in all other writes, so nothing may be waited for: false when the job is busy.
bool begin_work(SqlSession& session, const Lease& lease) {
  if (lease.kind == TaskKind::kRender) {
    session.run("UPDATE segments SET status = 'RUNNING' WHERE job_id = ? AND idx = ?",
                {lease.job_id, lease.segment});
  }
  if (lease.kind != TaskKind::kPrepare) return true;
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
                  "SELECT 1 FROM tasks WHERE job_id = ? AND kind = ? AND segment = ? AND "
                  "epoch = ? AND worker_id <> ''",
                  {lease.job_id, name_of(lease.kind), lease.segment, lease.epoch})
              .empty();
}

}  // namespace

Result<std::optional<LeasedTask>> SqlStore::lease_next(const LeaseRequest& request,
                                                       milliseconds duration) {
  const std::vector<Slot> slots = jobs::slots_of(request);
  if (slots.empty()) return std::optional<LeasedTask>();
  for (int i = 0; i < kTries; ++i) {
    // Looking is free of locks: an idle worker must not disturb the others.
    const Result<bool> anything = reading([&](SqlSession& session) -> Result<bool> {
      return !read_candidates(session, slots).empty();
    });
    if (!anything) return anything.failure();
    if (!*anything) return std::optional<LeasedTask>();
    Result<std::optional<LeasedTask>> leased = try_lease(request, duration);
    if (leased || leased.failure().kind != FailureKind::kConflict) return leased;
    clock_.sleep_for(kBetweenTries);
  }
  return std::optional<LeasedTask>();
}

Result<std::optional<LeasedTask>> SqlStore::try_lease(const LeaseRequest& request,
                                                      milliseconds duration) {
  const std::vector<Slot> slots = jobs::slots_of(request);
  return writing("lease_next", [&](SqlSession& session) -> Result<std::optional<LeasedTask>> {
    std::optional<Ready> ready = lock_ready(session, read_candidates(session, slots));
    if (!ready) return std::optional<LeasedTask>();
    LeasedTask leased;
    leased.lease = std::move(ready->lease);
    if (session.query("SELECT 1 FROM jobs WHERE id = ?", {leased.lease.job_id}).empty()) {
      remove_all_tasks(session, leased.lease.job_id);  // somebody deleted the job by hand
      return std::optional<LeasedTask>();
    }
    leased.lease.worker_id = request.worker_id;
    leased.lease.epoch = session.next_epoch();
    leased.failures = ready->failures;
    leased.engine = ready->slot.engine;
    if (!begin_work(session, leased.lease)) {
      return failure(FailureKind::kConflict, "the job is being changed");
    }
    session.run(
        "UPDATE tasks SET worker_id = ?, epoch = ?, expires_at = ?, frames = 0, alone = 0, "
        "waiting_for = '', waiting_since = NULL WHERE id = ?",
        {request.worker_id, leased.lease.epoch, session.now() + micros(duration), ready->id});
    const Rows rows = session.query(
        std::string("SELECT ") + kJobColumns + " FROM jobs WHERE id = ?", {leased.lease.job_id});
    leased.job = complete(session, read_job(rows.at(0)));
    leased.segments = read_segments(session, leased.lease.job_id);
    note_turn(session, leased, *ready);
    leased.leased_at = time_from(session.now());
    return std::optional(std::move(leased));
  });
}

Result<std::vector<Lease>> SqlStore::renew(const std::vector<Lease>& leases,
                                           milliseconds duration) {
  if (leases.empty()) return std::vector<Lease>();
  const auto renewed = [&](SqlSession& session, const Lease& lease, std::string_view lock) {
    std::string sql =
        "UPDATE tasks SET expires_at = ? WHERE id = (SELECT id FROM tasks WHERE job_id = ? AND "
        "kind = ? AND segment = ? AND epoch = ? AND worker_id <> '' ";
    sql += std::string(lock) + ")";
    return session.run(sql, {session.now() + micros(duration), lease.job_id, name_of(lease.kind),
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
