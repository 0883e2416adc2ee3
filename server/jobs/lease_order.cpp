#include "server/jobs/lease_order.h"

#include <algorithm>
#include <tuple>

namespace pytoon::jobs {

std::vector<Slot> slots_of(const Hand& hand) {
  std::vector<Slot> slots;
  const auto add = [&slots](Slot slot) {
    if (std::find(slots.begin(), slots.end(), slot) == slots.end()) {
      slots.push_back(std::move(slot));
    }
  };
  for (const Work work : hand.works) {
    if (work == Work::kRender) {
      for (const std::string& encoder : hand.encoders) add({work, encoder, ""});
    } else if (work == Work::kFootage && !hand.engines.empty()) {
      for (const std::string& engine : hand.engines) add({work, "", engine});
    } else {
      add({work, "", ""});
    }
  }
  return slots;
}

void sort_by_turn(std::vector<Candidate>& candidates) {
  const auto turn = [](const Candidate& c) {
    return std::tuple(-c.priority, c.held, c.seq, -static_cast<int>(c.slot.work));
  };
  std::sort(candidates.begin(), candidates.end(),
            [&turn](const Candidate& a, const Candidate& b) { return turn(a) < turn(b); });
}

}  // namespace pytoon::jobs
