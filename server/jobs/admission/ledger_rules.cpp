#include "server/jobs/admission/ledger_rules.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace pytoon::jobs::admission {
namespace {

constexpr std::array<std::string_view, 5> kLaneNames{"render", "generate", "cpu", "api", "audio"};

bool is_of_whole_card(Bytes bytes, const Sample& sample) {
  return sample.total > 0 && bytes >= sample.total;
}

template <typename Fits>
bool any_that_counts(const GpuState& state, WallTime now, const Fits& fits) {
  return std::ranges::any_of(state.promises, [&](const Promise& promise) {
    return fits(promise) && counts(promise, state.sample, now);
  });
}

bool endpoint_taken(const GpuState& state, WallTime now) {
  return any_that_counts(state, now,
                         [](const Promise& promise) { return promise.lane == Lane::kGenerate; });
}

int live_segments(const GpuState& state, const std::string& worker_id, WallTime now) {
  return static_cast<int>(std::ranges::count_if(state.promises, [&](const Promise& promise) {
    return promise.lane == Lane::kRender && promise.worker_id == worker_id &&
           !ended_at(promise, now);
  }));
}

bool encoder_is_full(const GpuState& state, int sessions, WallTime now) {
  if (sessions == 0 || state.sample.encoder_sessions_max < 0) return false;
  int used = state.sample.encoder_sessions_foreign + sessions;
  for (const Promise& promise : state.promises) {
    if (counts(promise, state.sample, now)) used += promise.encoder_sessions;
  }
  return used > state.sample.encoder_sessions_max;
}

}  // namespace

std::string_view name_of(Lane lane) { return kLaneNames.at(static_cast<std::size_t>(lane)); }

std::optional<Lane> lane_from_name(std::string_view name) {
  const auto* const found = std::find(kLaneNames.begin(), kLaneNames.end(), name);
  if (found == kLaneNames.end()) return std::nullopt;
  return static_cast<Lane>(found - kLaneNames.begin());
}

std::optional<WallTime> ended_at(const Promise& promise, WallTime now) {
  if (promise.released_at) return promise.released_at;
  if (promise.expires_at <= now) return promise.expires_at;
  return std::nullopt;
}

bool counts(const Promise& promise, const Sample& sample, WallTime now) {
  const std::optional<WallTime> end = ended_at(promise, now);
  return !end || sample.at <= *end;
}

Bytes resident_bytes(const Sample& sample, const std::string& model) {
  for (const ResidentModel& resident : sample.endpoint.models) {
    if (resident.model == model) return resident.bytes;
  }
  return 0;
}

Bytes resident_bytes(const Sample& sample) {
  Bytes sum = 0;
  for (const ResidentModel& resident : sample.endpoint.models) sum += resident.bytes;
  return sum;
}

Bytes held_of(const Promise& promise, const Sample& sample) {
  if (promise.lane == Lane::kGenerate) {
    const Bytes working = sample.endpoint.running == promise.epoch ? sample.endpoint.working : 0;
    return resident_bytes(sample, promise.model) + working + sample.endpoint.fill;
  }
  for (const HeldMemory& held : sample.held) {
    if (held.epoch == promise.epoch) return held.bytes;
  }
  return 0;
}

Bytes growth_of(Lane lane, const std::string& model, Bytes bytes, const Sample& sample) {
  if (lane != Lane::kGenerate) return bytes;
  return std::max(Bytes{0}, bytes - resident_bytes(sample, model) - sample.endpoint.fill);
}

Bytes available(const GpuState& state, WallTime now) {
  Bytes outstanding = 0;
  for (const Promise& promise : state.promises) {
    if (!counts(promise, state.sample, now) || is_of_whole_card(promise.bytes, state.sample)) {
      continue;
    }
    outstanding += std::max(Bytes{0}, promise.bytes - held_of(promise, state.sample));
  }
  const Bytes left = state.sample.free - outstanding;
  return is_given_whole(state, now) ? std::min(Bytes{0}, left) : left;
}

bool is_given_whole(const GpuState& state, WallTime now) {
  return any_that_counts(state, now, [&state](const Promise& promise) {
    return is_of_whole_card(promise.bytes, state.sample);
  });
}

bool has_promises(const GpuState& state, WallTime now) {
  return any_that_counts(state, now, [](const Promise&) { return true; });
}

bool is_fresh(const Sample& sample, WallTime now, std::chrono::milliseconds age_max) {
  return sample.total > 0 && now - sample.at <= age_max;
}

bool reservation_stands(const GpuState& state, WallTime now) {
  return state.reservation && state.reservation->expires_at > now;
}

std::optional<Refusal> refusal_of(const GpuState& state, const Wish& wish,
                                  const LedgerOptions& options, WallTime now) {
  if (!is_fresh(state.sample, now, options.sample_age_max)) return Refusal::kStaleSample;
  if (wish.lane == Lane::kGenerate) {
    if (endpoint_taken(state, now)) return Refusal::kEndpointTaken;
    if (reservation_stands(state, now) && state.reservation->task != wish.task) {
      return Refusal::kReserved;
    }
  }
  if (wish.lane == Lane::kRender &&
      live_segments(state, wish.worker_id, now) >= wish.segments_max) {
    return Refusal::kSlots;
  }
  if (encoder_is_full(state, wish.encoder_sessions, now)) return Refusal::kEncoderSessions;
  if (is_of_whole_card(wish.bytes, state.sample)) {
    return has_promises(state, now) ? std::optional(Refusal::kMemory) : std::nullopt;
  }
  const Bytes growth = growth_of(wish.lane, wish.model, wish.bytes, state.sample);
  if (available(state, now) - growth < options.headroom) return Refusal::kMemory;
  return std::nullopt;
}

std::optional<Refusal> refusal_to_grow(const GpuState& state, const Promise& promise, Bytes bytes,
                                       const LedgerOptions& options, WallTime now) {
  if (!is_fresh(state.sample, now, options.sample_age_max)) return Refusal::kStaleSample;
  const Bytes held = held_of(promise, state.sample);
  const Bytes growth = std::max(bytes, held) - std::max(promise.bytes, held);
  if (growth > 0 && available(state, now) - growth < options.headroom) return Refusal::kMemory;
  return std::nullopt;
}

Balance balance_of(const GpuState& state, const LedgerOptions& options, WallTime now) {
  Balance balance;
  balance.slack = available(state, now);
  balance.violated = balance.slack < -options.violation_grain;
  balance.headroom_used =
      !balance.violated && balance.slack < options.headroom && !is_given_whole(state, now);
  // Had others stayed as they were when the newest promise was given, would it hold?
  const Bytes grown = std::max(Bytes{0}, state.sample.foreign - state.foreign_at_last_promise);
  balance.cause = balance.slack + grown >= -options.violation_grain ? ViolationCause::kForeign
                                                                    : ViolationCause::kOurs;
  return balance;
}

std::string_view name_of(Refusal refusal) {
  switch (refusal) {
    case Refusal::kStaleSample:
      return "stale_sample";
    case Refusal::kEndpointTaken:
      return "endpoint_taken";
    case Refusal::kReserved:
      return "reserved";
    case Refusal::kSlots:
      return "slots";
    case Refusal::kEncoderSessions:
      return "encoder_sessions";
    case Refusal::kMemory:
      return "memory";
  }
  CHECK(false, "a Refusal has no name");
}

std::string_view name_of(ViolationCause cause) {
  return cause == ViolationCause::kOurs ? "ours" : "foreign";
}

}  // namespace pytoon::jobs::admission
