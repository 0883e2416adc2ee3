// Whose turn it is: the order in which ready tasks are leased. Pure.
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
  std::int64_t held = 0;  // leases that the tenant holds now
};

std::vector<Slot> slots_of(const LeaseRequest& request);

// First the one to lease next: priority, then the tenant with the fewest leases, then the oldest
// job. Within a job the tasks nearest to its end come first.
void sort_by_turn(std::vector<Candidate>& candidates);

}  // namespace pytoon::jobs
