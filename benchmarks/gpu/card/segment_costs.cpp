#include "benchmarks/gpu/card/segment_costs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "pipeline/render/scene_renderer.h"

namespace pytoon::bench {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kFineLook{5};
constexpr int kSeconds = 2;  // of each job: one segment

Result<render::RenderJob> job_of(const app::Config& config, const std::string& preset,
                                 const plan::InputFile& picture,
                                 const std::optional<plan::InputFile>& clip) {
  spec::JobRequest request;
  request.preset_id = preset;
  request.target_duration_seconds = kSeconds;
  request.captions = spec::Captions{"One hook", {"two words", "and a longer third one"}, "buy"};
  request.image_uris.push_back("storage://" + picture.sha256);
  if (clip) request.clip_uris.push_back("storage://" + clip->sha256);
  Result<spec::RenderSpec> spec = plan::make_render_spec(request, config.catalogue, 1);
  if (!spec) return spec.failure();
  render::RenderJob job;
  job.spec = std::move(*spec);
  job.inputs.images.push_back(picture);
  if (clip) job.inputs.clips.push_back(*clip);
  job.footage.assign(job.spec.segments.size(), plan::SourceKind::kImages);
  return job;
}

// A renderer with nothing cached, on an account of its own, as the process would render, or with
// one compositor.
Result<SegmentFigures> measure(const app::Config& config, app::RenderStack& stack, OwnCard& card,
                               const render::RenderJob& job, bool alone, const fs::path& output) {
  const Result<gpu::GpuReading> before = read_card(card);
  if (!before) return before.failure();
  const auto account = stack.device->open_account("segment", std::nullopt);
  render::SceneRenderer renderer(
      *account, *stack.fonts, stack.encoders,
      {.pool = std::make_shared<render::PiecePool>(alone ? 1 : config.worker_concurrency),
       .gpu_pieces_at_once = config.gpu_pieces_per_segment});
  SegmentFigures figures;
  figures.preset = job.spec.preset_id;
  figures.of_clip = !job.inputs.clips.empty();
  figures.compositors = renderer.compositors_at_once(job, 0);
  const Result<render::SegmentCost> cost =
      renderer.cost(job, 0, renderer.machine_for(job, figures.compositors));
  if (!cost) return cost.failure();
  std::uint64_t lowest = before->free_bytes;
  {
    const Repeater watch(kFineLook, [&] {
      const Result<gpu::GpuReading> now = read_card(card);
      if (now) lowest = std::min(lowest, now->free_bytes);
    });
    const Status rendered = renderer.render_segment(job, 0, output, {}, [](int) {});
    if (!rendered) return rendered.failure();
  }
  figures.pool_told = cost->pool_bytes();
  figures.pool_taken = account->memory_use()->peak_bytes;
  figures.vram_told = cost->vram_bytes() - cost->context_bytes;
  figures.vram_taken = before->free_bytes - lowest;
  return figures;
}

Result<plan::InputFile> input(const fs::path& file) {
  const Result<std::string> hash = sha256_file(file);
  if (!hash) return hash.failure();
  return plan::InputFile{file, *hash};
}

}  // namespace

std::string fault_of(const SegmentFigures& figures) {
  const std::string what = figures.preset + (figures.of_clip ? " with a clip" : "");
  if (figures.pool_told < figures.pool_taken) {
    return what + ": the pool took " + std::to_string(figures.pool_taken) + " bytes, told were " +
           std::to_string(figures.pool_told);
  }
  if (figures.compositors == 1 &&
      figures.pool_told > figures.pool_taken + figures.pool_taken / 10) {
    return what + ": told were " + std::to_string(figures.pool_told) +
           " bytes, the pool took no more than " + std::to_string(figures.pool_taken);
  }
  if (figures.vram_told < figures.vram_taken) {
    return what + ": the card had " + std::to_string(figures.vram_taken) +
           " bytes less, told were " + std::to_string(figures.vram_told);
  }
  return "";
}

nlohmann::ordered_json json_of(const SegmentFigures& figures) {
  return {{"preset", figures.preset},           {"clip", figures.of_clip},
          {"compositors", figures.compositors}, {"pool_told", figures.pool_told},
          {"pool_taken", figures.pool_taken},   {"vram_told", figures.vram_told},
          {"vram_taken", figures.vram_taken},   {"fault", fault_of(figures)}};
}

// The first segment is rendered twice: what the driver loads for the first frame of a process is
// part of the context.
Result<std::vector<SegmentFigures>> measure_segments(const app::Config& config,
                                                     app::RenderStack& stack, OwnCard& card,
                                                     const fs::path& picture_file,
                                                     const fs::path& folder) {
  std::vector<SegmentFigures> all;
  const Result<plan::InputFile> picture = input(picture_file);
  if (!picture) return picture.failure();
  std::optional<plan::InputFile> clip;
  const auto add = [&](const std::string& preset, bool alone) -> Status {
    const Result<render::RenderJob> job = job_of(config, preset, *picture, clip);
    if (!job) return job.failure();
    const fs::path output = folder / (clip ? "of_clip.mp4" : "segment.mp4");
    auto figures = measure(config, stack, card, *job, alone, output);
    if (!figures) return figures.failure();
    all.push_back(std::move(*figures));
    return ok_status();
  };
  const std::string first = config.catalogue.presets.begin()->first;
  if (Status warm = add(first, false); !warm) return warm.failure();
  all.clear();
  for (const bool alone : {true, false}) {
    for (const auto& [preset, ignored] : config.catalogue.presets) {
      if (Status added = add(preset, alone); !added) return added.failure();
    }
  }
  Result<plan::InputFile> rendered = input(folder / "segment.mp4");
  if (!rendered) return rendered.failure();
  clip = *rendered;
  for (const std::string preset : {"product_hero_clean", "overlay_glow"}) {
    if (Status added = add(preset, true); !added) return added.failure();
  }
  return all;
}

}  // namespace pytoon::bench
