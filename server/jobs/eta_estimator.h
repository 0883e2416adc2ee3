// When will it be done? An estimate made of what waits, how fast segments went lately and how many
// threads draw; none when that is not known. What lies behind us is counted by the store.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "server/jobs/job_store.h"

namespace pytoon::jobs {

struct EtaInputs {
  double segments_ahead = 0;  // of others, served first
  double own_segments = 0;    // of the job, still to be drawn; a half-drawn one counts half
  double seconds_per_segment = 0;
  int threads = 0;
};

// seconds_per_segment * max((segments_ahead + own_segments) / threads, min(own_segments, 1)):
// all threads share the work, but one segment is drawn by one thread. Rounded up, at least 1.
// nullopt without threads or without a pace.
std::optional<std::int64_t> eta_seconds(const EtaInputs& inputs);

// How long a client should stay away whom a full queue refused: until a tenth of what waits is
// expected to be drawn (one job where fewer than ten wait), so that who comes back finds room even
// if others come first. open_segments * seconds_per_segment / threads is the time of all of it.
// Between 1 s and 10 min; 1 min where nothing is known: no segment was finished lately, no live
// worker.
std::chrono::seconds retry_after(const Backlog& backlog);

// What is left of a job by its progress, of which the last 5 % are assembling.
double segments_left(const Job& job);

// Asks the store for the backlog at most once a second.
//
// Thread rule: any thread. Blocks on the database for milliseconds.
class EtaEstimator {
 public:
  // Both must outlive it.
  EtaEstimator(JobStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  // Of a job with its segments_ahead. nullopt also for one that has ended, and while the store
  // can't be asked.
  std::optional<std::int64_t> eta_seconds(const Job& job);

 private:
  std::optional<Backlog> backlog(SteadyTime now);

  JobStore& store_;
  const Clock& clock_;
  std::mutex mutex_;  // protects what follows
  std::optional<Backlog> backlog_;
  SteadyTime backlog_at_{};
};

}  // namespace pytoon::jobs
