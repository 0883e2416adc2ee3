// Whose turn it is: the order in which ready tasks are leased. Pure.
//
// Across tenants work is shared by their plans' weights, whatever their jobs' priorities and
// numbers: first who holds the fewest leases of this lane for its weight, then who was given the
// least work of it for its weight. That is start-time fair queuing (Goyal, Vin, Cheng 1996): a
// piece of work starts where the tenant's last one ended, or where the work given latest started,
// if that is later: being idle saves nothing up. So tenants take turns on a single thread too.
// Priority, then age, order the jobs of one tenant.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "server/jobs/task_store.h"

namespace pytoon::jobs {

// A kind of task that a thread can take.
struct Slot {
  TaskKind kind = TaskKind::kPrepare;
  std::string encoder;  // of kRender, "" for the others
  std::string engine;   // of kFootage, "" for the others and where none is to be asked
  bool operator==(const Slot&) const = default;
};

// The best ready task of a tenant in a slot.
struct Candidate {
  Slot slot;
  std::string tenant;
  int priority = 0;
  std::int64_t seq = 0;   // of its job: the order of creation
  std::int64_t held = 0;  // leases of the slot's lane that the tenant holds now
  std::int64_t lead = 0;  // by how much its next piece starts later than the latest; 0 at least
  int weight = 1;         // of its share (tenant_plan.h), 1 at least
};

std::vector<Slot> slots_of(const LeaseRequest& request);
// Slots whose tasks are done by the same threads, whose work is counted together: "render".
std::string lane_of(const Slot& slot);

// The length of a piece of work in milliseconds of video, of a task of the segment or of none.
std::int64_t work_of(TaskKind kind, int segment_seconds);

// First the one to lease next. Within a job the tasks nearest to its end come first.
void sort_by_turn(std::vector<Candidate>& candidates);

}  // namespace pytoon::jobs
