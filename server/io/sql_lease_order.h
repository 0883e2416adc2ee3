// Whose turn it is, read from the tables: the candidates of jobs/lease_order.h in their order, and
// the account of who was given how much. For the lease query alone (sql_leases.cpp).
//
// Its cost grows with the number of tenants that have ready work and of leases held, not with the
// number of jobs that wait.
//
// Thread rule: as its session.
#pragma once

#include <vector>

#include "server/io/sql.h"
#include "server/jobs/lease_order.h"

namespace pytoon::io {

struct LeaseOrder {
  std::vector<jobs::Candidate> candidates;  // first the one to lease next
  std::int64_t read_at = 0;                 // by the database's clock: what was ready then
};

// The best ready task of each tenant and slot. Locks nothing.
LeaseOrder read_lease_order(SqlSession& session, const std::vector<jobs::Slot>& slots);

// The tenant got a piece of work (start-time fair queuing). Locks its row of the lane until the
// transaction ends: all leases of the lane that the tenant gets at the same time wait for it.
void note_turn(SqlSession& session, const jobs::LeasedTask& leased, const jobs::Slot& slot);

}  // namespace pytoon::io
