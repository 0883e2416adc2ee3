// Admission control on a real card, for scripts/device-check:
//   admission_check cost PICTURE FOLDER
//       what was predicted for segments of each preset against what was measured; JSON
//   admission_check jobs SECONDS FOLDER REPORT.json REQUEST.json...
//       says "ready" when its context is on the card, and begins when standard input brings a line
//       or ends: the jobs at once, round after round, the card looked at ten times a second; then a
//       line "REQUEST DEVICE SHA256" of each video. Without a card: on the CPU, nothing looked at
//
// Exit status: 0 all held; 1 it did not, standard error says what; 77 no card to measure.
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "benchmarks/gpu/card/job_rounds.h"
#include "benchmarks/gpu/card/segment_costs.h"
#include "gpu/nvml/nvml.h"
#include "pipeline/media/decoder/local_decoder.h"

namespace pytoon::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kNotRun = 77;

int fail(const std::string& why) {
  std::cerr << "admission_check: " << why << "\n";
  return 1;
}

// Of all cards together: enough to see what a context takes where nobody else begins or ends.
std::uint64_t free_everywhere(gpu::GpuReader& reader) {
  std::uint64_t bytes = 0;
  const auto all = reader.read();
  if (!all) return 0;
  for (const gpu::GpuReading& gpu : *all) bytes += gpu.free_bytes;
  return bytes;
}

int cost(const Studio& studio, OwnCard& card, const fs::path& picture, const fs::path& folder,
         std::uint64_t free_before) {
  const auto figures = measure_segments(studio.config, studio.stack, card, picture, folder);
  if (!figures) return fail(figures.failure().detail);
  int faults = 0;
  nlohmann::ordered_json segments = nlohmann::ordered_json::array();
  for (const SegmentFigures& one : *figures) {
    segments.push_back(json_of(one));
    const std::string fault = fault_of(one);
    faults += fault.empty() ? 0 : 1;
    if (!fault.empty()) fail(fault);
  }
  nlohmann::ordered_json report{{"source", card.reader->source()}};
  report["context_told"] = render::DriverCosts{}.context_bytes;
  // With what the pool and the image cache still keep: nothing, each account having gone.
  const auto gpu = read_card(card);
  const std::uint64_t kept = studio.stack.device->reserved_bytes();
  if (free_before > 0 && gpu) report["context_taken"] = free_before - gpu->free_bytes - kept;
  report["faults"] = faults;
  report["segments"] = std::move(segments);
  std::cout << report.dump(1) << "\n";
  return faults == 0 ? 0 : 1;
}

int jobs(const Studio& studio, OwnCard* card, const std::vector<std::string>& arguments) {
  const std::vector<fs::path> requests(arguments.begin() + 4, arguments.end());
  std::cout << "ready" << std::endl;
  std::string begin;
  std::getline(std::cin, begin);
  const auto rounds = run_rounds(
      studio, card, std::chrono::seconds(std::atol(arguments[1].c_str())), requests, arguments[2]);
  if (!rounds) return fail(rounds.failure().detail);
  std::ofstream(arguments[3]) << json_of(*rounds).dump(1) << "\n";
  int faults = 0;
  const auto fault = [&](const std::string& what) { faults += fail(what); };
  for (const std::string& failed : rounds->failed) fault(failed);
  for (const JobOutcome& job : rounds->jobs) {
    std::cout << job.request << " " << job.device << " " << job.sha256 << "\n";
    if (card == nullptr || job.device == "cuda") continue;
    if (job.reason.find("vram_exhausted") == std::string::npos) {
      fault(job.request + " is not on the card and does not say why: " + job.reason);
    }
  }
  if (rounds->looks.violations_ours > 0 || rounds->ledger_violations_ours > 0) {
    fault("memory was promised that was not there");
  }
  if (card != nullptr && rounds->looks.with_promises == 0) fault("no promise was ever seen");
  return faults == 0 ? 0 : 1;
}

int run(const std::vector<std::string>& arguments) {
  const auto environment = app::read_environment(".env");
  const auto config = app::read_config(*environment);
  if (!config) return fail(config.failure().detail);
  SystemClock clock;
  Log log(clock, std::cerr, LogLevel::kError);
  auto nvml = gpu::open_nvml();
  const std::uint64_t free_before = nvml ? free_everywhere(**nvml) : 0;
  Result<app::RenderStack> stack =
      app::open_render_stack(*config, log, std::make_shared<media::LocalDecoder>());
  if (!stack) return fail(stack.failure().detail);
  const Studio studio{*config, *stack, clock, log};
  Result<OwnCard> card = find_card(*stack->device);
  if (arguments[0] == "jobs") return jobs(studio, card ? &*card : nullptr, arguments);
  if (!card) {
    std::cout << card.failure().detail << "\n";
    return kNotRun;
  }
  return cost(studio, *card, arguments[1], arguments[2], free_before);
}

}  // namespace
}  // namespace pytoon::bench

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool known = (arguments.size() == 3 && arguments[0] == "cost") ||
                     (arguments.size() >= 5 && arguments[0] == "jobs");
  if (!known) {
    std::cerr << "usage: admission_check cost PICTURE FOLDER |"
                 " jobs SECONDS FOLDER REPORT.json REQUEST.json...\n";
    return 2;
  }
  return pytoon::bench::run(arguments);
}
