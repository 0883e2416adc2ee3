#include "server/jobs/admission/placement.h"

#include <algorithm>
#include <limits>

#include "server/jobs/admission/facts.h"

namespace pytoon::jobs::admission {
namespace {

constexpr std::size_t kBits = 64;
constexpr std::uint64_t kNoCard = std::numeric_limits<std::uint64_t>::max();

std::int32_t mib_up(Bytes bytes) { return static_cast<std::int32_t>((bytes + kMiB - 1) / kMiB); }
std::int32_t mib_down(Bytes bytes) {
  return static_cast<std::int32_t>(bytes >= 0 ? bytes / kMiB : -((-bytes + kMiB - 1) / kMiB));
}

bool is_idle(const GpuState& state, const ControllerOptions& options, WallTime now) {
  if (!is_fresh(state.sample, now, options.ledger.sample_age_max)) return false;
  if (state.sample.endpoint.state != EndpointSample::State::kIdle) return false;
  if (reservation_stands(state, now)) return false;
  if (is_making_room(state, options, now)) return false;
  return std::none_of(state.promises.begin(), state.promises.end(), [&](const Promise& promise) {
    return promise.lane == Lane::kGenerate && counts(promise, state.sample, now);
  });
}

}  // namespace

std::size_t PlacementTable::add(const std::string& uuid) {
  uuids_.push_back(uuid);
  available_mib_.push_back(0);
  usable_mib_.push_back(0);
  yieldable_mib_.push_back(0);
  fill_mib_.push_back(0);
  models_.push_back(0);
  idle_.push_back(0);
  dynamic_.push_back(0);
  segments_.push_back(0);
  std::uint32_t rank = 0;
  for (std::size_t i = 0; i + 1 < uuids_.size(); ++i) {
    if (uuids_[i] < uuid) {
      ++rank;
    } else {
      ++rank_[i];
    }
  }
  rank_.push_back(rank);
  return uuids_.size() - 1;
}

std::uint64_t PlacementTable::bit_of(const std::string& model) const {
  const auto found = bits_.find(model);
  return found == bits_.end() ? 0 : found->second;
}

std::uint64_t PlacementTable::intern(const std::string& model) {
  if (const auto found = bits_.find(model); found != bits_.end()) return found->second;
  const std::uint64_t bit = bits_.size() < kBits ? std::uint64_t{1} << bits_.size() : 0;
  bits_.emplace(model, bit);
  return bit;
}

void PlacementTable::update(std::size_t gpu, const GpuState& state,
                            const ControllerOptions& options, WallTime now) {
  const EndpointSample& endpoint = state.sample.endpoint;
  available_mib_[gpu] = mib_down(available(state, now));
  usable_mib_[gpu] = mib_down(usable_bytes(state.sample));
  yieldable_mib_[gpu] = mib_down(resident_bytes(state.sample) + endpoint.fill);
  fill_mib_[gpu] = mib_down(endpoint.fill);
  models_[gpu] = 0;
  for (const ResidentModel& resident : endpoint.models) models_[gpu] |= intern(resident.model);
  idle_[gpu] = is_idle(state, options, now) ? 1 : 0;
  dynamic_[gpu] = endpoint.dynamic_vram ? 1 : 0;
  const auto live =
      std::count_if(state.promises.begin(), state.promises.end(), [now](const Promise& promise) {
        return promise.lane == Lane::kRender && !ended_at(promise, now);
      });
  segments_[gpu] = static_cast<std::uint8_t>(std::min<std::ptrdiff_t>(live, 255));
}

std::optional<Placement> PlacementTable::place(const Demand& demand,
                                               const ControllerOptions& options) const {
  const std::int32_t headroom = mib_up(options.ledger.headroom);
  const std::uint64_t model = bit_of(demand.model);
  const std::int32_t weights = mib_down(demand.weights);
  const std::int32_t peaks[kShapes] = {mib_up(demand.peak[0]), mib_up(demand.peak[1]),
                                       mib_up(demand.peak[2])};
  const int first = demand.first_run ? 1 : 0;
  std::uint64_t best_key = kNoCard;
  std::size_t best = 0;
  for (std::size_t i = 0; i < idle_.size(); ++i) {
    if (idle_[i] == 0) continue;
    const bool resident = (models_[i] & model) != 0;
    const std::int32_t have = (resident ? weights : 0) + fill_mib_[i];
    const int last = dynamic_[i] != 0 && !resident ? kShapes : kShapes - 1;
    std::uint64_t step = 4;
    for (int shape = first; shape < last && step > 1; ++shape) {
      if (peaks[shape] + headroom > usable_mib_[i]) continue;
      if (available_mib_[i] - std::max(0, peaks[shape] - have) >= headroom) {
        step = static_cast<std::uint64_t>(shape > 0);
        if (shape == 2) step = 2;
      } else if (available_mib_[i] + yieldable_mib_[i] - peaks[shape] >= headroom) {
        step = std::min<std::uint64_t>(step, 3);
      }
    }
    if (step == 4) continue;
    const std::uint64_t key = step << 61 | std::uint64_t{!resident} << 60 |
                              static_cast<std::uint64_t>(usable_mib_[i]) << 36 |
                              std::uint64_t{segments_[i]} << 28 | rank_[i];
    if (key < best_key) {
      best_key = key;
      best = i;
    }
  }
  if (best_key == kNoCard) return std::nullopt;
  const std::uint64_t step = best_key >> 61;
  Placement placement;
  placement.gpu = best;
  placement.makes_room = step == 3;
  placement.shape = step == 0 ? Shape::kFull : step == 2 ? Shape::kPaged : Shape::kTiled;
  return placement;
}

}  // namespace pytoon::jobs::admission
