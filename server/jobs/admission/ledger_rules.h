// The arithmetic of the promise ledger: what is still available on a GPU, whether a promise may be
// given, and whether the invariant
//
//     free - sum over promises of max(0, promised - held) >= 0
//
// holds. Every implementation of the ledger (memory_ledger.h, the SQL one) calls these under its
// lock, and the controller calls them to decide. Two numbers: a promise is given only while the
// left side stays >= headroom; below zero it is a violation. Pure.
#pragma once

#include <chrono>
#include <string>

#include "server/jobs/admission/gpu_state.h"

namespace pytoon::jobs::admission {

struct LedgerOptions {
  Bytes headroom = 512 * kMiB;  // 1 GiB where a desktop lives; more costs waits, less breaches
  // An older sample promises nothing.
  std::chrono::milliseconds sample_age_max{2000};
  // Of promises, renewed at a third of it. Longer only prolongs the waits after a death.
  std::chrono::milliseconds lease{15'000};
  // A breach must be larger than what allocators round up to: 2 MiB is CUDA's granule.
  Bytes violation_grain = 2 * kMiB;
};

// What a task asks of the ledger.
struct Wish {
  std::string gpu;
  std::string worker_id;
  std::string task;
  Lane lane = Lane::kRender;
  Bytes bytes = 0;
  std::string model;
  int encoder_sessions = 0;
  std::chrono::milliseconds duration{0};  // expected
  // Of kRender: segments that the worker may have on the card, this one included. How many it can
  // use only the worker knows (segments_at_once()); the card is guarded by bytes.
  int segments_max = 1;
};

enum class Refusal {
  kStaleSample,    // none, or none young enough: the next one decides
  kEndpointTaken,  // another prompt has the endpoint, or its end is not measured yet
  kReserved,       // the endpoint is kept for another task
  kSlots,          // the worker has as many segments there as it can use
  kEncoderSessions,
  kMemory
};

enum class ViolationCause { kOurs, kForeign };

// What the newest sample says about the invariant.
struct Balance {
  Bytes slack = 0;  // free - sum of max(0, promised - held)
  bool violated = false;
  ViolationCause cause = ViolationCause::kOurs;  // of a violation
  bool headroom_used = false;                    // 0 <= slack < headroom: no violation
};

// The moment from which the promise is nobody's any more, if there is one: its release, or the end
// of its lease when that has passed.
std::optional<WallTime> ended_at(const Promise& promise, WallTime now);
// Whether its memory must be counted: it lives, or no sample younger than its end shows what became
// of the memory.
bool counts(const Promise& promise, const Sample& sample, WallTime now);
// What the promise's owner has of it in that sample. For a generation that is also the weights of
// its model that lie there, whoever loaded them, and the pages that a dynamic build gives up.
Bytes held_of(const Promise& promise, const Sample& sample);
Bytes resident_bytes(const Sample& sample, const std::string& model);
Bytes resident_bytes(const Sample& sample);  // of all models

// What a promise of `bytes` adds to what is taken: what lies there already needs no room.
Bytes growth_of(Lane lane, const std::string& model, Bytes bytes, const Sample& sample);

// What no promise has a right to. May be negative. A promise as large as the card is of the whole
// card: it is given where there is no other, and while it lives all that is free is its own, also
// what other programs give back. It can't be overdrawn, so that a task whose need nobody knows may
// try without harm to a neighbour.
Bytes available(const GpuState& state, WallTime now);
bool is_given_whole(const GpuState& state, WallTime now);
// Whether any counts.
bool has_promises(const GpuState& state, WallTime now);
bool is_fresh(const Sample& sample, WallTime now, std::chrono::milliseconds age_max);
bool reservation_stands(const GpuState& state, WallTime now);

// Why the wish can't be granted now; nullopt when it may.
std::optional<Refusal> refusal_of(const GpuState& state, const Wish& wish,
                                  const LedgerOptions& options, WallTime now);
// May the promise of that epoch become `bytes` large?
std::optional<Refusal> refusal_to_grow(const GpuState& state, const Promise& promise, Bytes bytes,
                                       const LedgerOptions& options, WallTime now);

Balance balance_of(const GpuState& state, const LedgerOptions& options, WallTime now);

// A label for metrics and logs: "stale_sample".
std::string_view name_of(Refusal refusal);
std::string_view name_of(ViolationCause cause);  // "ours"

}  // namespace pytoon::jobs::admission
