// What it costs a job that its clips are decoded in confined processes: the whole job, drawn and
// encoded with x264, once with its clips decoded here and once behind the door, in turns in one
// run, so that a busy machine is busy for both.
//
// clip_job_tool PROGRAM TURNS REQUEST.json FOLDER   PROGRAM is pytoon
//
// Prints one JSON object: processor seconds of this process and of all its decoders, medians over
// the turns, and the median of the turns' ratios. The host of decoders is started before and not
// counted. Exit status 1 when the two videos differ in a byte.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/hash.h"
#include "benchmarks/bench_job.h"
#include "pipeline/media/decoder/child_decoder.h"
#include "pipeline/media/decoder/local_decoder.h"
#include "pipeline/render/scene_renderer.h"
#include "server/app/render_stack.h"

namespace pytoon {
namespace {

namespace fs = std::filesystem;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double own_cpu_s() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
}

// Of a process and the children that it has buried. Source: proc(5), fields 14 to 17 of stat.
double cpu_with_children_s(int pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  constexpr int kBefore = 11;
  std::string skipped;
  for (int i = 0; i < kBefore; ++i) fields >> skipped;
  double ticks = 0;
  for (int i = 0; i < 4; ++i) {
    double one = 0;
    fields >> one;
    ticks += one;
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

// As many as wait, so that all that worked are buried and counted.
void wait_for_burials(int host, int waiting) {
  constexpr auto kPause = std::chrono::milliseconds(20);
  SystemClock clock;
  for (;;) {
    std::ifstream list("/proc/" + std::to_string(host) + "/task/" + std::to_string(host) +
                       "/children");
    int children = 0;
    for (int child = 0; list >> child;) ++children;
    if (children <= waiting) return;
    clock.sleep_for(kPause);
  }
}

// A renderer of its own, so that nothing is left from the turn before.
Status render_job(const app::Config& config, const app::RenderStack& stack,
                  const render::RenderJob& job, const fs::path& folder,
                  const std::shared_ptr<media::FileDecoder>& decoder) {
  render::SceneRenderer renderer(
      *stack.device, *stack.fonts, stack.encoders,
      {.pool = std::make_shared<render::PiecePool>(config.worker_concurrency), .decoder = decoder});
  std::vector<fs::path> segments;
  for (std::size_t i = 0; i < job.footage.size(); ++i) {
    segments.push_back(folder / ("segment" + std::to_string(i) + ".mp4"));
    const Status drawn =
        renderer.render_segment(job, static_cast<int>(i), segments.back(), {}, [](int) {});
    if (!drawn) return drawn;
  }
  return renderer.assemble(job, segments, std::nullopt, folder / "output.mp4", {});
}

struct Turns {
  std::vector<double> here_s;
  std::vector<double> confined_s;
  std::vector<double> ratios;
};

Result<Turns> measure(const app::Config& config, const app::RenderStack& stack,
                      const render::RenderJob& job, const fs::path& folder,
                      const media::ChildDecoder::Options& options, int turns) {
  const auto here = std::make_shared<media::LocalDecoder>();
  const auto confined = std::make_shared<media::ChildDecoder>(options);
  for (const auto& clip : job.inputs.clips) {
    const auto warm = confined->inspect(media::FileKind::kClip, clip.path);
    if (!warm) return warm.failure();
  }
  Turns measured;
  std::string first;
  const auto cpu_s = [&] {
    wait_for_burials(confined->host_pid(), options.waiting);
    return own_cpu_s() + cpu_with_children_s(confined->host_pid());
  };
  const auto once = [&](const std::shared_ptr<media::FileDecoder>& decoder,
                        std::vector<double>& all) -> Status {
    const double before = cpu_s();
    if (Status done = render_job(config, stack, job, folder, decoder); !done) return done;
    all.push_back(cpu_s() - before);
    const Result<std::string> hash = sha256_file(folder / "output.mp4");
    if (!hash) return hash.failure();
    if (first.empty()) first = *hash;
    return first == *hash ? ok_status()
                          : Status(failure(FailureKind::kInternal, "the two videos differ"));
  };
  for (int i = 0; i < turns; ++i) {
    const bool swapped = i % 2 == 1;
    Status done = swapped ? once(confined, measured.confined_s) : once(here, measured.here_s);
    if (done) done = swapped ? once(here, measured.here_s) : once(confined, measured.confined_s);
    if (!done) return done.failure();
    measured.ratios.push_back(measured.confined_s.back() / measured.here_s.back());
  }
  return measured;
}

int run(const std::string& program, int turns, const fs::path& request, const fs::path& folder) {
  const auto environment = app::read_environment(".env");
  const auto config = app::read_config(*environment);
  if (!config) {
    std::cerr << config.failure().detail << "\n";
    return 2;
  }
  const SystemClock clock;
  Log log(clock, std::cerr, LogLevel::kWarning);
  Result<app::RenderStack> stack =
      app::open_render_stack(*config, log, std::make_shared<media::LocalDecoder>());
  Result<render::RenderJob> job = bench::read_job(request, *config);
  if (!stack || !job) {
    std::cerr << (stack ? job.failure().detail : stack.failure().detail) << "\n";
    return 1;
  }
  media::ChildDecoder::Options options;
  options.program = program;
  job->encoder = media::kCodecX264;
  const Result<Turns> measured = measure(*config, *stack, *job, folder, options, turns);
  if (!measured) {
    std::cerr << measured.failure().detail << "\n";
    return 1;
  }
  const nlohmann::ordered_json json{{"benchmark", "decoder/clip-job"},
                                    {"device", stack->device->description()},
                                    {"frames", render::timeline_of(*job).frames},
                                    {"threads", config->worker_concurrency},
                                    {"turns", turns},
                                    {"here_cpu_s", bench::median(measured->here_s)},
                                    {"confined_cpu_s", bench::median(measured->confined_s)},
                                    {"ratio", bench::median(measured->ratios)}};
  std::cout << json.dump() << std::endl;
  return 0;
}

}  // namespace
}  // namespace pytoon

int main(int argc, char** argv) {
  if (argc != 5) {
    std::cerr << "usage: clip_job_tool PROGRAM TURNS REQUEST.json FOLDER\n";
    return 2;
  }
  return pytoon::run(argv[1], std::max(1, std::atoi(argv[2])), argv[3], argv[4]);
}
