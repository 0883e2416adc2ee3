// The Renderer that composes scenes on a device and encodes them. A scene is one segment's and goes
// with it; what it is made of is shared with other segments, and other jobs, through a cache.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "gpu/device.h"
#include "pipeline/media/encoder_choice.h"
#include "pipeline/media/text/text.h"
#include "pipeline/render/content_key.h"
#include "pipeline/render/image_cache.h"
#include "pipeline/render/renderer.h"

namespace pytoon::render {

class SceneRenderer final : public Renderer {
 public:
  static constexpr std::uint64_t kCacheBytes = std::uint64_t{256} << 20;

  // device and fonts must outlive the renderer. cache_bytes: how much of prepared images is kept
  // for other segments; less only makes them work again.
  SceneRenderer(gpu::Device& device, const media::FontLibrary& fonts, media::EncoderChoice encoders,
                std::uint64_t cache_bytes = kCacheBytes);

  Status check(const spec::RenderSpec& spec) override;
  std::vector<Encoder> encoders() const override;
  Result<std::string> content_key(const RenderJob& job, int index) override;
  Result<std::vector<std::string>> content_keys(const RenderJob& job) override;
  RenderMachine machine_for(const RenderJob& job, int compositors) const override;
  Result<SegmentCost> cost(const RenderJob& job, int index, const RenderMachine& machine) override;
  int frame_count(const spec::RenderSpec& spec, int index) const override;
  Status render_segment(const RenderJob& job, int index, const std::filesystem::path& output,
                        const CancelToken& cancel,
                        const std::function<void(int)>& on_progress) override;
  Result<media::AudioMeasures> prepare_audio(const RenderJob& job,
                                             const std::filesystem::path& output,
                                             const CancelToken& cancel) override;
  Status assemble(const RenderJob& job, const std::vector<std::filesystem::path>& segments,
                  const std::optional<std::filesystem::path>& audio,
                  const std::filesystem::path& output, const CancelToken& cancel) override;
  Status thumbnail(const std::filesystem::path& video,
                   const std::filesystem::path& output) override;
  nlohmann::ordered_json facts(const RenderJob& job) const override;

  ImageCache::Stats cache_stats() const { return cache_.stats(); }

 private:
  const media::EncoderOption& encoder_of(const RenderJob& job) const;
  std::string device_kind_for(const media::EncoderSettings& encoder) const;
  ImageMaker maker_of(const RenderJob& job) const;
  Status draw_segment(const RenderJob& job, int index, const std::filesystem::path& output,
                      const CancelToken& cancel, const std::function<void(int)>& on_progress);

  gpu::Device& device_;
  const media::FontLibrary& fonts_;
  const media::EncoderChoice encoders_;
  ImageCache cache_;
};

}  // namespace pytoon::render
