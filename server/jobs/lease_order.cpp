#include "server/jobs/lease_order.h"

#include <algorithm>
#include <tuple>

namespace pytoon::jobs {

std::vector<Slot> slots_of(const LeaseRequest& request) {
  std::vector<Slot> slots;
  const auto add = [&slots](Slot slot) {
    if (std::find(slots.begin(), slots.end(), slot) == slots.end()) {
      slots.push_back(std::move(slot));
    }
  };
  for (const TaskKind kind : request.kinds) {
    if (kind == TaskKind::kRender) {
      for (const std::string& encoder : request.encoders) add({kind, encoder, ""});
    } else if (kind == TaskKind::kFootage && !request.engines.empty()) {
      for (const std::string& engine : request.engines) add({kind, "", engine});
    } else {
      add({kind, "", ""});
    }
  }
  return slots;
}

void sort_by_turn(std::vector<Candidate>& candidates) {
  const auto turn = [](const Candidate& c) {
    return std::tuple(-c.priority, c.held, c.seq, -static_cast<int>(c.slot.kind));
  };
  std::sort(candidates.begin(), candidates.end(),
            [&turn](const Candidate& a, const Candidate& b) { return turn(a) < turn(b); });
}

}  // namespace pytoon::jobs
