// Plays one trace with one policy and prints what it came to, as one line of JSON.
//
//   admission_tool TRACE POLICY [spill] [option=value ...]
#include <cstring>
#include <fstream>
#include <iostream>

#include <nlohmann/json.hpp>

#include "benchmarks/admission/policies.h"

namespace pytoon::benchmark {
namespace {

nlohmann::json line_of(const Trace& trace, const Metrics& metrics) {
  const double seconds = trace.seconds * static_cast<double>(trace.gpus.size());
  const auto rounded = [](double value, double grain) {
    return std::round(value / grain) / (1 / grain);
  };
  return {{"gpus", trace.gpus.size()},
          {"load", trace.load},
          {"seed", trace.seed},
          {"throughput", (metrics.local_work_s + metrics.api_work_s) / seconds},
          {"local_throughput", metrics.local_work_s / seconds},
          {"over_commitments", metrics.over_commitments},
          {"over_commitments_foreign", metrics.over_commitments_foreign},
          {"violations_ours", metrics.violations_ours},
          {"violations_foreign", metrics.violations_foreign},
          {"headroom_uses", metrics.headroom_uses},
          {"overshoots", metrics.overshoots},
          {"wait_p50_s", rounded(percentile(metrics.job_waits_s, .5), .1)},
          {"wait_p99_s", rounded(percentile(metrics.job_waits_s, .99), .1)},
          {"wait_max_s", rounded(percentile(metrics.job_waits_s, 1), .1)},
          {"generation_wait_p99_s", rounded(percentile(metrics.generation_waits_s, .99), .1)},
          {"generation_wait_max_s", rounded(percentile(metrics.generation_waits_s, 1), .1)},
          {"segment_wait_p99_s", rounded(percentile(metrics.segment_waits_s, .99), .1)},
          {"starved", metrics.starved},
          {"reloads", metrics.reloads},
          {"frees", metrics.frees},
          {"restarts", metrics.restarts},
          {"reservations", metrics.reservations},
          {"oom", metrics.ooms},
          {"lost", metrics.lost},
          {"never", metrics.never},
          {"spilled", metrics.spilled},
          {"cpu_jobs", metrics.cpu_jobs},
          {"api_spend", rounded(metrics.api_usd, .01)},
          {"generations", metrics.generations},
          {"jobs", metrics.jobs},
          {"jobs_done", metrics.jobs_done},
          {"decisions", metrics.decide_us.size() + metrics.place_us.size()},
          {"decision_us_p50", rounded(percentile(metrics.decide_us, .5), .01)},
          {"decision_us_p99",
           rounded(std::max(percentile(metrics.decide_us, .99), percentile(metrics.place_us, .99)),
                   .01)},
          {"place_us_p99", rounded(percentile(metrics.place_us, .99), .01)}};
}

int run(int count, char** arguments) {
  if (count < 3) {
    std::cerr << "usage: admission_tool TRACE POLICY [spill] [option=value ...]\n";
    return 2;
  }
  std::ifstream file(arguments[1]);
  Result<Trace> trace = read_trace(file);
  if (!trace) {
    std::cerr << "admission_tool: " << trace.failure().detail << '\n';
    return 1;
  }
  Metrics metrics;
  Simulation simulation(*trace, metrics);
  const std::vector<std::string> options(arguments + 3, arguments + count);
  const std::unique_ptr<Scheduler> policy = make_policy(arguments[2], options, simulation);
  if (policy == nullptr) {
    std::cerr << "admission_tool: no such policy or option: " << arguments[2] << '\n';
    return 2;
  }
  simulation.run(*policy);
  nlohmann::json line = line_of(*trace, metrics);
  line["policy"] = arguments[2];
  line["spill"] = std::find(options.begin(), options.end(), "spill") != options.end();
  std::cout << line.dump() << '\n';
  return 0;
}

}  // namespace
}  // namespace pytoon::benchmark

int main(int count, char** arguments) { return pytoon::benchmark::run(count, arguments); }
