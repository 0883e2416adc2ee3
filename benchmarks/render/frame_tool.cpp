// The two halves of a job apart, for the render benchmark:
//   frame_tool compose REQUEST.json FRAMES.nv12    draws every finished frame, encodes nothing
//   frame_tool encode FRAMES.nv12 OUT.mp4          encodes finished frames to OUT.mp4.0 ..., draws
//                                                  nothing

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <iostream>
#include <thread>

#include "base/files.h"
#include "base/hash.h"
#include "pipeline/media/segment_writer.h"
#include "pipeline/render/open_clips.h"
#include "pipeline/render/scene_builder.h"
#include "server/app/studio.h"

namespace pytoon {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFrameBytes = 1080UL * 1920 * 3 / 2;

Result<render::RenderJob> read_job(const fs::path& request_file, const app::Config& config) {
  Result<std::string> text = read_file(request_file);
  if (!text) return text.failure();
  Result<spec::JobRequest> request = spec::parse_job_request(nlohmann::json::parse(*text));
  if (!request) return request.failure();
  Result<spec::RenderSpec> spec = plan::make_render_spec(*request, config.catalogue, 1);
  if (!spec) return spec.failure();
  render::RenderJob job;
  job.spec = std::move(*spec);
  for (const std::string& uri : request->image_uris) {
    const fs::path path = request_file.parent_path() / uri;
    Result<std::string> hash = sha256_file(path);
    if (!hash) return hash.failure();
    job.inputs.images.push_back({path, *hash});
  }
  job.footage.assign(job.spec.segments.size(), render::Footage::kImages);
  return job;
}

Status compose(const app::Config& config, app::Studio& studio, const fs::path& request,
               const fs::path& out) {
  Result<render::RenderJob> job = read_job(request, config);
  if (!job) return job.failure();
  auto scene = render::build_scene(*job, *studio.device, *studio.fonts);
  if (!scene) return scene.failure();
  const auto compositor = studio.device->make_compositor();
  std::vector<std::uint8_t> bytes(kFrameBytes);
  const gpu::HostNv12View view{
      {1080, 1920}, bytes.data(), 1080, bytes.data() + 1080UL * 1920, 1080};
  std::ofstream file(out, std::ios::binary);
  gpu::Composition composition;
  render::OpenClips clips(*studio.device, {});
  for (int frame = 0; frame < (*scene)->timeline().frames; ++frame) {
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

// In pieces of a segment's length, as many at once as a job renders: the least that encoding costs.
Status encode_pieces(const app::Config& config, const std::uint8_t* bytes, int frames,
                     const fs::path& out) {
  constexpr int kPieceFrames = 90;
  const int pieces = (frames + kPieceFrames - 1) / kPieceFrames;
  std::atomic<int> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    for (int piece = next++; piece < pieces; piece = next++) {
      const int first = piece * kPieceFrames;
      StoredFrames source(bytes + static_cast<std::size_t>(first) * kFrameBytes);
      media::SegmentOrder order;
      order.encoder = config.encoder.x264;
      order.frame_count = std::min(kPieceFrames, frames - first);
      order.output = out.string() + "." + std::to_string(piece);
      if (!media::write_segment(source, order)) failed = true;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < config.worker_concurrency; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  if (failed) return failure(FailureKind::kMedia, "a piece could not be encoded");
  return ok_status();
}

Status encode(const app::Config& config, const fs::path& frames, const fs::path& out) {
  const FileDescriptor file(::open(frames.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno_failure(errno, "can't open " + frames.string());
  const std::uintmax_t size = fs::file_size(frames);
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (mapped == MAP_FAILED) return errno_failure(errno, "can't map " + frames.string());
  const Status written = encode_pieces(config, static_cast<const std::uint8_t*>(mapped),
                                       static_cast<int>(size / kFrameBytes), out);
  ::munmap(mapped, size);
  return written;
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
  Result<app::Studio> studio = app::open_studio(*config, log);
  if (!studio) {
    std::cerr << studio.failure().detail << "\n";
    return 1;
  }
  const Status done = arguments[0] == "compose"
                          ? compose(*config, *studio, arguments[1], arguments[2])
                          : encode(*config, arguments[1], arguments[2]);
  if (!done) std::cerr << done.failure().detail << "\n";
  return done ? 0 : 1;
}

}  // namespace
}  // namespace pytoon

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() != 3 || (arguments[0] != "compose" && arguments[0] != "encode")) {
    std::cerr
        << "usage: frame_tool compose REQUEST.json FRAMES.nv12 | encode FRAMES.nv12 OUT.mp4\n";
    return 2;
  }
  return pytoon::run(arguments);
}
