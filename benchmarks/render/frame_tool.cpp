// The two halves of a job apart, for the render benchmark:
//   frame_tool compose REQUEST.json FRAMES.nv12    draws every finished frame, encodes nothing
//   frame_tool encode FRAMES.nv12 OUT.mp4 [PRESET CRF]
//                                                  encodes finished frames, draws nothing
//   frame_tool bound REQUEST.json FOLDER [ROUNDS]  job and encoding alone in turn, in one process
//
// bound prints one JSON object. A job is what the renderer does between a request and its
// output.mp4: scene, segments, joining, with x264, on the device that PYTOON_DEVICE chooses;
// encoding alone is of the same frames, read from a file. first_frame_s: until the first frame of
// the job was drawn; joining_s: from its last segment on. Medians over the rounds (3), and the
// median of the rounds' ratios.

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/files.h"
#include "benchmarks/bench_job.h"
#include "pipeline/media/decoder/local_decoder.h"
#include "pipeline/media/segment_writer.h"
#include "pipeline/render/open_clips.h"
#include "pipeline/render/scene_builder.h"
#include "pipeline/render/scene_renderer.h"
#include "server/app/render_stack.h"

namespace pytoon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFrameBytes = 1080UL * 1920 * 3 / 2;

Status compose(const app::Config& config, app::RenderStack& stack, const fs::path& request,
               const fs::path& out) {
  Result<render::RenderJob> job = bench::read_job(request, config);
  if (!job) return job.failure();
  const int frames = render::timeline_of(*job).frames;
  render::ImageCache cache(render::SceneRenderer::kCacheBytes);
  auto scene =
      render::build_scene(*job, {0, frames}, {*stack.device, *stack.fonts, cache, *stack.decoder});
  if (!scene) return scene.failure();
  const auto compositor = stack.device->make_compositor();
  std::vector<std::uint8_t> bytes(kFrameBytes);
  const gpu::HostNv12View view{
      {1080, 1920}, bytes.data(), 1080, bytes.data() + 1080UL * 1920, 1080};
  std::ofstream file(out, std::ios::binary);
  gpu::Composition composition;
  render::OpenClips clips(*stack.device, *stack.decoder, {});
  for (int frame = 0; frame < frames; ++frame) {
    const Status known = (*scene)->evaluate(frame, clips, composition);
    if (!known) return known;
    const Status drawn = compositor->compose(composition, view);
    if (!drawn) return drawn;
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
  if (!file) return failure(FailureKind::kIo, "can't write " + out.string());
  return ok_status();
}

// Frames of a file, copied in one by one.
class StoredFrames final : public media::FrameSource {
 public:
  StoredFrames(const std::uint8_t* bytes) : bytes_(bytes) {}

  Status draw(int index, const gpu::Nv12Target& target) override {
    const auto& view = std::get<gpu::HostNv12View>(target);
    const std::uint8_t* from = bytes_ + static_cast<std::size_t>(index) * kFrameBytes;
    for (std::size_t y = 0; y < 1920; ++y, from += 1080) {
      std::memcpy(view.luma + y * view.luma_pitch_bytes, from, 1080);
    }
    for (std::size_t y = 0; y < 960; ++y, from += 1080) {
      std::memcpy(view.chroma + y * view.chroma_pitch_bytes, from, 1080);
    }
    return ok_status();
  }

 private:
  const std::uint8_t* bytes_;
};

// work(0) ... work(count - 1), as many at once as a job renders; the first failure.
Status in_parallel(const app::Config& config, int count, const std::function<Status(int)>& work) {
  std::atomic<int> next{0};
  std::vector<Status> results(static_cast<std::size_t>(count), ok_status());
  const auto worker = [&] {
    for (int i = next++; i < count; i = next++) results[static_cast<std::size_t>(i)] = work(i);
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < config.worker_concurrency; ++i) threads.emplace_back(worker);
  for (std::thread& thread : threads) thread.join();
  for (const Status& result : results) {
    if (!result) return result;
  }
  return ok_status();
}

// In pieces, as a job encodes them, on all threads until the last: the least that encoding costs.
Status encode_all(const app::Config& config, const media::EncoderSettings& settings,
                  const std::uint8_t* bytes, int frames, const fs::path& out) {
  render::PiecePool pool(config.worker_concurrency);
  media::SegmentOrder order;
  order.encoder = settings;
  order.frame_count = frames;
  order.output = out;
  return media::write_segment(
      [bytes](const CancelToken&) { return std::make_shared<StoredFrames>(bytes); }, order, pool);
}

Status encode(const app::Config& config, const media::EncoderSettings& settings,
              const fs::path& frames, const fs::path& out) {
  const FileDescriptor file(::open(frames.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno_failure(errno, "can't open " + frames.string());
  const std::uintmax_t size = fs::file_size(frames);
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (mapped == MAP_FAILED) return errno_failure(errno, "can't map " + frames.string());
  const Status written = encode_all(config, settings, static_cast<const std::uint8_t*>(mapped),
                                    static_cast<int>(size / kFrameBytes), out);
  ::munmap(mapped, size);
  return written;
}

double seconds_since(SteadyTime began) {
  return std::chrono::duration<double>(SystemClock().steady_now() - began).count();
}

// Seconds of jobs, a value each.
struct JobTimes {
  std::vector<double> first_frame;
  std::vector<double> joining;
};

// A renderer of its own, so that nothing is left from the round before.
Status render_job(const app::Config& config, const app::RenderStack& stack,
                  const render::RenderJob& job, const fs::path& folder, JobTimes& times) {
  const SteadyTime began = SystemClock().steady_now();
  std::once_flag drawn;
  const auto on_progress = [&](int) {
    std::call_once(drawn, [&] { times.first_frame.push_back(seconds_since(began)); });
  };
  render::SceneRenderer renderer(
      *stack.device, *stack.fonts, stack.encoders,
      {.pool = std::make_shared<render::PiecePool>(config.worker_concurrency)});
  std::vector<fs::path> segments;
  for (std::size_t i = 0; i < job.footage.size(); ++i) {
    segments.push_back(folder / ("segment" + std::to_string(i) + ".mp4"));
  }
  const Status rendered = in_parallel(config, static_cast<int>(segments.size()), [&](int i) {
    return renderer.render_segment(job, i, segments[static_cast<std::size_t>(i)], {}, on_progress);
  });
  if (!rendered) return rendered;
  const SteadyTime joining = SystemClock().steady_now();
  const Status joined = renderer.assemble(job, segments, std::nullopt, folder / "output.mp4", {});
  times.joining.push_back(seconds_since(joining));
  return joined;
}

Status bound(const app::Config& config, app::RenderStack& stack, const fs::path& request,
             const fs::path& folder, int rounds) {
  Result<render::RenderJob> job = bench::read_job(request, config);
  if (!job) return job.failure();
  job->encoder = media::kCodecX264;
  const fs::path frames = folder / "frames.nv12";
  Status done = compose(config, stack, request, frames);
  const auto timed = [&](std::vector<double>& seconds, const std::function<Status()>& work) {
    const SteadyTime began = SystemClock().steady_now();
    if (done) done = work();
    seconds.push_back(seconds_since(began));
  };
  JobTimes times;
  std::vector<double> jobs;
  std::vector<double> floors;
  std::vector<double> ratios;
  for (int i = 0; i < rounds; ++i) {
    timed(jobs, [&] { return render_job(config, stack, *job, folder, times); });
    timed(floors,
          [&] { return encode(config, config.encoder.x264, frames, folder / "floor.mp4"); });
    ratios.push_back(jobs.back() / floors.back());
  }
  if (!done) return done;
  const nlohmann::ordered_json json{{"benchmark", "render/bound"},
                                    {"device", stack.device->description()},
                                    {"frames", fs::file_size(frames) / kFrameBytes},
                                    {"threads", config.worker_concurrency},
                                    {"threads_a_piece", config.encoder.x264.threads},
                                    {"rounds", rounds},
                                    {"job_s", bench::median(jobs)},
                                    {"first_frame_s", bench::median(times.first_frame)},
                                    {"joining_s", bench::median(times.joining)},
                                    {"encode_only_s", bench::median(floors)},
                                    {"ratio", bench::median(ratios)}};
  std::cout << json.dump() << "\n";
  return ok_status();
}

int run(const std::vector<std::string>& arguments) {
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
  if (!stack) {
    std::cerr << stack.failure().detail << "\n";
    return 1;
  }
  media::EncoderSettings settings = config->encoder.x264;
  if (arguments[0] == "encode" && arguments.size() == 5) {
    settings.preset = arguments[3];
    settings.crf = std::atoi(arguments[4].c_str());
  }
  const int rounds = arguments.size() > 3 ? std::max(1, std::atoi(arguments[3].c_str())) : 3;
  const Status done =
      arguments[0] == "compose"  ? compose(*config, *stack, arguments[1], arguments[2])
      : arguments[0] == "encode" ? encode(*config, settings, arguments[1], arguments[2])
                                 : bound(*config, *stack, arguments[1], arguments[2], rounds);
  if (!done) std::cerr << done.failure().detail << "\n";
  return done ? 0 : 1;
}

}  // namespace
}  // namespace pytoon

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool known =
      (arguments.size() == 3 && (arguments[0] == "compose" || arguments[0] == "encode")) ||
      (arguments.size() == 5 && arguments[0] == "encode");
  const bool bound = arguments.size() >= 3 && arguments.size() <= 4 && arguments[0] == "bound";
  if (!known && !bound) {
    std::cerr << "usage: frame_tool compose REQUEST.json FRAMES.nv12 |"
                 " encode FRAMES.nv12 OUT.mp4 [PRESET CRF] | bound REQUEST.json FOLDER [ROUNDS]\n";
    return 2;
  }
  return pytoon::run(arguments);
}
