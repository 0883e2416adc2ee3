// What a run of the simulator is judged by. Waits count unfinished jobs with their age at the end:
// a policy that starves must not look good.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pytoon::benchmark {

struct Metrics {
  // Work that was served: a generation counts its seconds, a segment a tenth of them.
  double local_work_s = 0;
  double api_work_s = 0;
  std::vector<double> job_waits_s;  // end - arrival - what it takes on an idle fleet
  std::vector<double> generation_waits_s;
  std::vector<double> segment_waits_s;
  std::vector<double> place_us;   // CPU time of one placement over all cards
  std::vector<double> decide_us;  // CPU time of one decision about a card
  double api_usd = 0;
  std::int64_t jobs = 0;
  std::int64_t jobs_done = 0;
  std::int64_t generations = 0;       // local ones that ended
  std::int64_t over_commitments = 0;  // true peaks of what runs exceed the memory, by our doing
  std::int64_t over_commitments_foreign = 0;
  std::int64_t violations_ours = 0;  // of the invariant
  std::int64_t violations_foreign = 0;
  std::int64_t headroom_uses = 0;
  std::int64_t overshoots = 0;  // prompts that exceeded their promise
  std::int64_t ooms = 0;
  std::int64_t probes = 0;  // decodes that took all free memory before they tiled
  std::int64_t reloads = 0;
  std::int64_t frees = 0;
  std::int64_t restarts = 0;
  std::int64_t reservations = 0;
  std::int64_t spilled = 0;
  std::int64_t cpu_jobs = 0;
  std::int64_t never = 0;
  std::int64_t lost = 0;
  std::int64_t starved = 0;  // overtaken beyond the age bound
  double age_excess_s_max = 0;
};

// The value below which `share` of them lie; 0 of none.
double percentile(std::vector<double> values, double share);

}  // namespace pytoon::benchmark
