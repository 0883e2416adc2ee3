#include "pipeline/render/compositor_choice.h"

#include <nlohmann/json.hpp>

#include "pipeline/media/video_format.h"

namespace pytoon::render {
namespace {

constexpr std::string_view kOnGpu = "cuda+";

// As the GPU's renderer calls its encoder.
RenderJob for_gpu(RenderJob job) {
  if (job.encoder.starts_with(kOnGpu)) job.encoder.erase(0, kOnGpu.size());
  return job;
}

}  // namespace

std::vector<Encoder> CompositorChoice::encoders() const {
  std::vector<Encoder> all = on_gpu_.encoders();
  const std::vector<Encoder> cpu = on_cpu_.encoders();
  for (Encoder& encoder : all) {
    if (encoder.name != cpu.back().name) continue;
    encoder.name.insert(0, kOnGpu);
    encoder.expected = true;
  }
  all.push_back(cpu.back());
  return all;
}

Renderer& CompositorChoice::renderer_of(const RenderJob& job) const {
  return job.encoder == on_cpu_.encoders().back().name ? on_cpu_ : on_gpu_;
}

Result<std::string> CompositorChoice::content_key(const RenderJob& job, int index) {
  return renderer_of(job).content_key(for_gpu(job), index);
}

Result<std::vector<std::string>> CompositorChoice::content_keys(const RenderJob& job) {
  return renderer_of(job).content_keys(for_gpu(job));
}

int CompositorChoice::compositors_at_once(const RenderJob& job, int index) const {
  return renderer_of(job).compositors_at_once(for_gpu(job), index);
}

RenderMachine CompositorChoice::machine_for(const RenderJob& job, int compositors) const {
  return renderer_of(job).machine_for(for_gpu(job), compositors);
}

Result<SegmentCost> CompositorChoice::cost(const RenderJob& job, int index,
                                           const RenderMachine& machine) {
  return renderer_of(job).cost(for_gpu(job), index, machine);
}

Status CompositorChoice::render_segment(const RenderJob& job, int index,
                                        const std::filesystem::path& output,
                                        const CancelToken& cancel,
                                        const std::function<void(int)>& on_progress) {
  return renderer_of(job).render_segment(for_gpu(job), index, output, cancel, on_progress);
}

nlohmann::ordered_json CompositorChoice::facts(const RenderJob& job) const {
  return renderer_of(job).facts(for_gpu(job));
}

}  // namespace pytoon::render
