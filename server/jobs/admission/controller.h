// The admission controller: pure functions from what waits and one state of a GPU to a decision.
// No clock, no lock, no I/O: workers, the API, tests and the simulator (benchmarks/admission) call
// the same ones. docs/admission.md tells people what they answer and why.
//
// What a decision asks for is done by the caller: kRun through PromiseLedger::promise (which judges
// again under the row's lock; refused means: decide anew), `reserve` through reserve(), kMakeRoom
// through begin_room() before POST /free is sent. Equal input gives an equal answer.
#pragma once

#include <chrono>
#include <span>
#include <string>

#include "server/jobs/admission/decision.h"
#include "server/jobs/admission/ledger_rules.h"

namespace pytoon::jobs::admission {

// Each default was chosen by simulation, with what moving it costs (docs/admission.md).
struct ControllerOptions {
  LedgerOptions ledger;
  std::chrono::milliseconds sample_period{250};
  // Batching: a task whose model lies on the card counts as that much older, times its load time
  // over batching_load. Bounded, so that no model waits for ever.
  std::chrono::milliseconds batching_age{60'000};
  std::chrono::milliseconds batching_load{14'000};
  std::chrono::milliseconds priority_age{60'000};  // a level of priority, as age
  std::chrono::milliseconds scarcity_age{40'000};  // only bigger cards fit it and this is one
  std::chrono::milliseconds deadline_age{60'000};  // its deadline is at risk
  std::chrono::milliseconds deadline_slack{30'000};
  std::chrono::milliseconds reserve_after{3000};  // of waiting, an endpoint may be kept for a task
  std::chrono::milliseconds reservation{15'000};
  std::chrono::milliseconds room_timeout{10'000};   // of measuring what POST /free brought
  std::chrono::milliseconds room_interval{20'000};  // between two of them on a card
  // A task that only residue keeps out for that long has the endpoint restarted.
  std::chrono::milliseconds residue_patience{300'000};
  // A task that waited so long for what is not there tries what is, if its workflow's word fits.
  std::chrono::milliseconds trial_after{120'000};
  std::int64_t micro_usd_per_second = 2000;  // what a second of waiting is worth
  int priority_worth = 3;                    // times that, from priority 1 on
  double duration_margin = 1.3;              // of a segment's expected time under a reservation
  Bytes largest_promise_slack = 64 * kMiB;  // what an idle card's sample may miss of its whole size
  double cpu_slowdown = 7;                  // of the CPU compositor against the GPU's
};

// The most that one task can be promised on an empty card of the largest size. Estimates stop there
// (demand_of): a figure that was learned too high asks for a whole card, it does not exile a task.
Bytes largest_promise(const CardSizes& cards, const ControllerOptions& options);

// What the endpoint of this card should do, of the tasks that wait for one: `heads` are the oldest
// ones of each workflow, in any order. `head` says which of them the decision is about;
// heads.size() when it is about the endpoint itself (stale, busy, down, draining).
struct EndpointDecision {
  std::size_t head = 0;
  Decision decision;
};
EndpointDecision decide_generation(const GpuState& state, std::span<const Request> heads,
                                   const CardSizes& cards, const ControllerOptions& options,
                                   WallTime now);

// What a segment that may run asks of this card's ledger.
Wish wish_of(const std::string& gpu, const Request& segment);

// Whether this segment may be composed on this card now.
Decision decide_render(const GpuState& state, const Request& request,
                       const ControllerOptions& options, WallTime now);

// Whether the task should leave the node for a remote engine: asked at submission and every few
// seconds while it waits. kWait: stay in the queue, `until` is the predicted start.
Decision decide_spill(const Request& request, const CardQueue& queue, const CardSizes& cards,
                      const ControllerOptions& options, WallTime now);

// How long it will probably be before this segment's memory is there, if nothing else waits: 0 when
// it is; the rest of the prompt that has it; `patience`, after which a segment leaves, when nobody
// knows.
std::chrono::milliseconds memory_wait(const GpuState& state, const Request& segment,
                                      std::chrono::milliseconds patience,
                                      const ControllerOptions& options, WallTime now);

// GPU or CPU for a job's compositor; once a job, before its first segment, and again only when the
// card was lost.
struct RenderLoad {
  CardQueue queue;  // segments that wait for GPU compositors
  std::chrono::milliseconds memory_wait{0};
  int segments = 0;  // of the job
  int free_cores = 0;
  int gpu_threads = 0;  // of all workers that have a card
};
Decision decide_compositor(const Request& segment, const RenderLoad& load, const CardSizes& cards,
                           const ControllerOptions& options);

// A waiting task's claim to a card, as age: the order in which heads are tried.
std::chrono::milliseconds urgency_of(const Request& request, const GpuState& state,
                                     const CardSizes& cards, const ControllerOptions& options,
                                     WallTime now);

}  // namespace pytoon::jobs::admission
