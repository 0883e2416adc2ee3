// Policies by name, for the command line.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "benchmarks/admission/simulation.h"

namespace pytoon::benchmark {

// ours, oracle, static_lanes, general_slots, optimistic, one_job, ollama. Options: "spill" (not for
// general_slots, one_job and ollama), and for ours "name=value" of the parameters listed in
// README.md. nullptr: no such policy or option.
std::unique_ptr<Scheduler> make_policy(const std::string& name,
                                       const std::vector<std::string>& options,
                                       Simulation& simulation);

}  // namespace pytoon::benchmark
