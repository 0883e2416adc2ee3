#include "server/worker/segment_footage.h"

#include <optional>

#include "base/hash.h"
#include "engines/local_compositor.h"
#include "pipeline/media/image/image_file.h"

namespace pytoon::worker {
namespace {

constexpr int kUsualPriority = 5;  // of jobs that say nothing

bool shows_own_clip(const spec::RenderSpec& spec, int segment) {
  const std::size_t all = spec.assets.images.size() + spec.assets.clips.size();
  return all > 0 && static_cast<std::size_t>(segment) % all >= spec.assets.images.size();
}

engines::FootageRequest request_for(const jobs::Job& job, int segment, const render::Inputs& inputs,
                                    jobs::ObjectStore& storage) {
  engines::FootageRequest request = engines::request_of(job.spec, segment);
  request.job_id = job.id;
  request.run = job.run;
  request.priority = job.priority - kUsualPriority;
  request.waiting_since = job.created_at;
  request.output = storage.staging("footage.mp4");
  const std::size_t all = inputs.images.size() + inputs.clips.size();
  if (all > 0) request.image = inputs.images.at(static_cast<std::size_t>(segment) % all);
  return request;
}

class RemovedAtEnd {
 public:
  explicit RemovedAtEnd(std::filesystem::path file) : file_(std::move(file)) {}
  ~RemovedAtEnd() {
    std::error_code unused;
    std::filesystem::remove(file_, unused);
  }
  const std::filesystem::path& file() const { return file_; }
  RemovedAtEnd(const RemovedAtEnd&) = delete;
  RemovedAtEnd& operator=(const RemovedAtEnd&) = delete;

 private:
  const std::filesystem::path file_;
};

// Engines read PNG, JPEG and WebP; an image of another kind is made a PNG for them, for as long as
// `png` is there.
Status make_readable(plan::InputFile& image, const FootageSources& sources,
                     std::optional<RemovedAtEnd>& png) {
  const Result<std::string> format = media::image_format_of_file(image.path);
  if (!format || !media::is_heif(*format)) return ok_status();
  const Result<gpu::RgbaImage> pixels = sources.decoder->read_image(image.path);
  if (!pixels) return pixels.failure();
  png.emplace(sources.storage.staging("image.png"));
  if (Status written = media::write_png(*pixels, png->file()); !written) return written.failure();
  Result<std::string> sha256 = sha256_file(png->file());
  if (!sha256) return sha256.failure();
  image = {png->file(), std::move(*sha256)};
  return ok_status();
}

}  // namespace

Result<engines::ChainStep> choose_segment_footage(
    const jobs::Job& job, int segment, const render::Inputs& inputs, const FootageSources& sources,
    const std::string& clip_key, const engines::Watch& watch, const engines::ChainPosition& from,
    std::string_view slot, bool taken_over) {
  if (shows_own_clip(job.spec, segment)) {
    return engines::ChainStep(
        engines::ChainResult{{}, std::string(engines::kLocalCompositor), false, ""});
  }
  engines::FootageRequest request = request_for(job, segment, inputs, sources.storage);
  request.taken_over = taken_over;
  std::optional<RemovedAtEnd> png;
  if (request.image && sources.decoder != nullptr && !slot.empty()) {
    if (Status readable = make_readable(*request.image, sources, png); !readable) {
      return readable.failure();
    }
  }
  Result<engines::ChainStep> step =
      sources.engine_chain.step(engines::chain_of(job.spec, sources.presets),
                                job.spec.engine_policy, request, watch, from, slot);
  auto* const result = step ? std::get_if<engines::ChainResult>(&*step) : nullptr;
  if (result == nullptr || !result->footage.clip) return step;
  if (Status put = sources.storage.put(request.output, clip_key); !put) return put.failure();
  Result<std::filesystem::path> path = sources.storage.local(clip_key);
  if (!path) return path.failure();
  result->footage.clip->path = std::move(*path);
  return step;
}

}  // namespace pytoon::worker
