#include "server/io/sql_lease_order.h"

#include <algorithm>
#include <string>

namespace pytoon::io {
namespace {

using jobs::Candidate;
using jobs::Slot;

// Of each tenant with ready work the best ready task in each slot. Steps from tenant to tenant on
// the index. The last step looks a task up by its id in a subquery, not by a join: how many tenants
// a recursive query finds is beyond PostgreSQL's planner, which then reads the whole table instead.
std::string select_candidates(std::size_t slots) {
  std::string values;
  for (std::size_t i = 0; i < slots; ++i) values += i == 0 ? "(?, ?, ?)" : ", (?, ?, ?)";
  return "WITH RECURSIVE slots (kind, encoder, engine) AS (VALUES " + values +
         "), tenants (kind, encoder, engine, tenant) AS ("
         "SELECT kind, encoder, engine, (SELECT t.tenant FROM tasks t WHERE t.kind = slots.kind "
         "AND t.encoder = slots.encoder AND t.engine = slots.engine AND t.worker_id = '' "
         "ORDER BY t.tenant LIMIT 1) FROM slots "
         "UNION ALL "
         "SELECT kind, encoder, engine, (SELECT t.tenant FROM tasks t WHERE t.kind = tenants.kind "
         "AND t.encoder = tenants.encoder AND t.engine = tenants.engine AND t.worker_id = '' AND "
         "t.tenant > tenants.tenant ORDER BY t.tenant LIMIT 1) "
         "FROM tenants WHERE tenant IS NOT NULL), "
         "best AS MATERIALIZED (SELECT kind, encoder, engine, tenant, (SELECT t.id FROM tasks t "
         "WHERE t.kind = tenants.kind AND t.encoder = tenants.encoder AND t.engine = "
         "tenants.engine AND t.worker_id = '' AND t.tenant = tenants.tenant AND t.not_before <= ? "
         "ORDER BY t.priority DESC, t.seq, t.segment LIMIT 1) AS id FROM tenants WHERE tenant IS "
         "NOT NULL) "
         "SELECT kind, encoder, engine, tenant, "
         "(SELECT t.priority FROM tasks t WHERE t.id = best.id), "
         "(SELECT t.seq FROM tasks t WHERE t.id = best.id) FROM best WHERE id IS NOT NULL";
}

// What decides between tenants, in one answer: leases held, weights, and by how much each tenant's
// next piece starts later than the latest of its lane.
constexpr std::string_view kSelectShares =
    "SELECT 'held', tenant, kind, engine, count(*) FROM tasks WHERE worker_id <> '' "
    "GROUP BY tenant, kind, engine "
    "UNION ALL SELECT 'weight', tenant, '', '', weight FROM tenant_weights "
    "UNION ALL SELECT 'lead', t.tenant, t.lane, '', t.finish - l.latest FROM "
    "(SELECT lane, max(start) AS latest FROM tenant_turns GROUP BY lane) l "
    "JOIN tenant_turns t ON t.lane = l.lane AND t.finish > l.latest";

void read_shares(SqlSession& session, std::vector<Candidate>& candidates) {
  for (const Row& row : session.query(kSelectShares)) {
    const std::string& what = row.text(0);
    const std::string lane =
        what == "held" ? jobs::lane_of({*jobs::task_kind_from_name(row.text(2)), "", row.text(3)})
                       : row.text(2);
    for (Candidate& candidate : candidates) {
      if (candidate.tenant != row.text(1)) continue;
      if (what == "weight") {
        candidate.weight = row.small(4);
      } else if (jobs::lane_of(candidate.slot) == lane) {
        (what == "held" ? candidate.held : candidate.lead) += row.integer(4);
      }
    }
  }
}

// Nothing to share out: one tenant alone has work for threads of one kind.
bool is_one_tenants(const std::vector<Candidate>& candidates) {
  const Candidate& first = candidates.front();
  return std::all_of(candidates.begin(), candidates.end(), [&first](const Candidate& c) {
    return c.tenant == first.tenant && jobs::lane_of(c.slot) == jobs::lane_of(first.slot);
  });
}

}  // namespace

LeaseOrder read_lease_order(SqlSession& session, const std::vector<Slot>& slots) {
  LeaseOrder order;
  order.read_at = session.now();
  std::vector<Param> params;
  for (const Slot& slot : slots) {
    params.emplace_back(name_of(slot.kind));
    params.emplace_back(slot.encoder);
    params.emplace_back(slot.engine);
  }
  params.emplace_back(order.read_at);
  for (const Row& row : session.query_with(select_candidates(slots.size()), params)) {
    Candidate candidate;
    candidate.slot = {*jobs::task_kind_from_name(row.text(0)), row.text(1), row.text(2)};
    candidate.tenant = row.text(3);
    candidate.priority = row.small(4);
    candidate.seq = row.integer(5);
    order.candidates.push_back(std::move(candidate));
  }
  if (order.candidates.empty()) return order;
  if (!is_one_tenants(order.candidates)) read_shares(session, order.candidates);
  jobs::sort_by_turn(order.candidates);
  return order;
}

void note_turn(SqlSession& session, const jobs::LeasedTask& leased, const Slot& slot) {
  const std::string lane = jobs::lane_of(slot);
  const auto index = static_cast<std::size_t>(leased.lease.segment);
  const int seconds = index < leased.segments.size() ? leased.segments[index].duration_seconds : 0;
  const std::int64_t work = jobs::work_of(leased.lease.kind, seconds);
  // It starts where the tenant's last piece ended, or where the latest of the lane started; a
  // tenant of weight 2 is charged half. One statement, so that the row is locked for as short as it
  // can be.
  session.run(
      "INSERT INTO tenant_turns (tenant, lane, start, finish) SELECT ?, ?, l.latest, "
      "l.latest + ? / coalesce((SELECT weight FROM tenant_weights WHERE tenant = ?), 1) "
      "FROM (SELECT coalesce(max(start), 0) AS latest FROM tenant_turns WHERE lane = ?) l WHERE "
      "true ON CONFLICT (tenant, lane) DO UPDATE SET "
      "start = CASE WHEN tenant_turns.finish > excluded.start THEN tenant_turns.finish "
      "ELSE excluded.start END, "
      "finish = CASE WHEN tenant_turns.finish > excluded.start THEN tenant_turns.finish "
      "ELSE excluded.start END + (excluded.finish - excluded.start)",
      {leased.job.tenant, lane, work, leased.job.tenant, lane});
}

}  // namespace pytoon::io
