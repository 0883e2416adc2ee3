// Two renderers as one: a GPU's, and the CPU's for jobs that the GPU has no memory for. Which of
// them makes a job is part of the name of its encoder, so that all its segments are composed on one
// kind of device, whoever renders them:
//
//   h264_nvenc     composed and encoded on the GPU
//   cuda+libx264   composed on the GPU, encoded on the CPU
//   libx264        composed and encoded on the CPU; as everywhere without a GPU
//
// Thread rule: as its renderers (renderer.h).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/render/renderer.h"

namespace pytoon::render {

class CompositorChoice final : public Renderer {
 public:
  // on_gpu composes on a CUDA device; both must outlive this.
  CompositorChoice(Renderer& on_gpu, Renderer& on_cpu) : on_gpu_(on_gpu), on_cpu_(on_cpu) {}

  Status check(const spec::RenderSpec& spec) override { return on_gpu_.check(spec); }
  std::vector<Encoder> encoders() const override;
  Result<std::string> content_key(const RenderJob& job, int index) override;
  Result<std::vector<std::string>> content_keys(const RenderJob& job) override;
  int frame_count(const spec::RenderSpec& spec, int index) const override {
    return on_gpu_.frame_count(spec, index);
  }
  int compositors_at_once(const RenderJob& job, int index) const override;
  RenderMachine machine_for(const RenderJob& job, int compositors) const override;
  Result<SegmentCost> cost(const RenderJob& job, int index, const RenderMachine& machine) override;
  Status render_segment(const RenderJob& job, int index, const std::filesystem::path& output,
                        const CancelToken& cancel,
                        const std::function<void(int)>& on_progress) override;
  Result<media::AudioMeasures> prepare_audio(const RenderJob& job,
                                             const std::filesystem::path& output,
                                             const CancelToken& cancel) override {
    return on_gpu_.prepare_audio(job, output, cancel);
  }
  Status assemble(const RenderJob& job, const std::vector<std::filesystem::path>& segments,
                  const std::optional<std::filesystem::path>& audio,
                  const std::filesystem::path& output, const CancelToken& cancel) override {
    return on_gpu_.assemble(job, segments, audio, output, cancel);
  }
  Status thumbnail(const std::filesystem::path& video,
                   const std::filesystem::path& output) override {
    return on_gpu_.thumbnail(video, output);
  }
  // On the CPU, where it takes no memory of the card.
  Result<std::string> strip_jpeg(const std::vector<FrameRun>& strip) override {
    return on_cpu_.strip_jpeg(strip);
  }
  nlohmann::ordered_json facts(const RenderJob& job) const override;

 private:
  Renderer& renderer_of(const RenderJob& job) const;

  Renderer& on_gpu_;
  Renderer& on_cpu_;
};

}  // namespace pytoon::render
