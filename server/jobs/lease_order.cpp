#include "server/jobs/lease_order.h"

#include <algorithm>
#include <map>
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

std::string lane_of(const Slot& slot) {
  if (slot.kind == TaskKind::kAudio) return "audio";
  return slot.engine.empty() ? "render" : "engine:" + slot.engine;
}

std::int64_t work_of(TaskKind kind, int segment_seconds) {
  constexpr std::int64_t kSecond = 1000;
  const bool of_segment = kind == TaskKind::kFootage || kind == TaskKind::kRender;
  return of_segment ? std::max(segment_seconds, 1) * kSecond : kSecond;
}

void sort_by_turn(std::vector<Candidate>& candidates) {
  // Of tenants that are equal the one whose work waits longest; the name keeps a tenant together.
  std::map<std::string, std::int64_t> oldest;
  for (const Candidate& c : candidates) {
    const auto known = oldest.emplace(c.tenant, c.seq).first;
    known->second = std::min(known->second, c.seq);
  }
  constexpr std::int64_t kShares = 1000;  // so that weights up to 100 tell
  const auto turn = [&oldest](const Candidate& c) {
    return std::tuple(c.held * kShares / c.weight, c.lead, oldest.at(c.tenant),
                      std::string_view(c.tenant), -c.priority, c.seq,
                      -static_cast<int>(c.slot.kind));
  };
  std::sort(candidates.begin(), candidates.end(),
            [&turn](const Candidate& a, const Candidate& b) { return turn(a) < turn(b); });
}

}  // namespace pytoon::jobs
