// The Renderer that composes scenes on a device and encodes them. A scene is one segment's and goes
// with it, shared by its pieces, each of which has a compositor and open clips of its own; what it
// is made of is shared with other segments, and other jobs, through a cache.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "gpu/device.h"
#include "pipeline/media/decoder/file_decoder.h"
#include "pipeline/media/encoder_choice.h"
#include "pipeline/media/text/text.h"
#include "pipeline/render/content_key.h"
#include "pipeline/render/image_cache.h"
#include "pipeline/render/piece_pool.h"
#include "pipeline/render/renderer.h"

namespace pytoon::render {

class SceneRenderer final : public Renderer {
 public:
  static constexpr std::uint64_t kCacheBytes = std::uint64_t{256} << 20;

  // None of these changes a byte of what is made.
  struct Options {
    // How much of prepared images is kept for other segments; less only makes them work again.
    std::uint64_t cache_bytes = kCacheBytes;
    // Shared by all renderers of a process; null: one of its own, of one thread.
    std::shared_ptr<PiecePool> pool = nullptr;
    // Of one segment's pieces at once where a GPU composes them: each takes memory of the card for
    // its frames. 0: no limit.
    int gpu_pieces_at_once = 0;
    // What inputs are decoded by; null: in this process.
    std::shared_ptr<media::FileDecoder> decoder = nullptr;
  };

  // device and fonts must outlive the renderer.
  SceneRenderer(gpu::Device& device, const media::FontLibrary& fonts, media::EncoderChoice encoders,
                Options options);
  SceneRenderer(gpu::Device& device, const media::FontLibrary& fonts, media::EncoderChoice encoders)
      : SceneRenderer(device, fonts, std::move(encoders), Options{}) {}

  Status check(const spec::RenderSpec& spec) override;
  std::vector<Encoder> encoders() const override;
  Result<std::string> content_key(const RenderJob& job, int index) override;
  Result<std::vector<std::string>> content_keys(const RenderJob& job) override;
  RenderMachine machine_for(const RenderJob& job, int compositors) const override;
  Result<SegmentCost> cost(const RenderJob& job, int index, const RenderMachine& machine) override;
  int frame_count(const spec::RenderSpec& spec, int index) const override;
  int compositors_at_once(const RenderJob& job, int index) const override;
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
  Result<std::string> strip_jpeg(const std::vector<FrameRun>& strip) override;
  nlohmann::ordered_json facts(const RenderJob& job) const override;

  ImageCache::Stats cache_stats() const { return cache_.stats(); }

 private:
  const media::EncoderOption& encoder_of(const RenderJob& job) const;
  const media::EncoderSettings& settings_of(const RenderJob& job) const;
  std::string device_kind_for(const media::EncoderSettings& encoder) const;
  ImageMaker maker_of(const RenderJob& job) const;
  int pieces_at_once() const;
  // Halved, from row `top` of the strip on.
  Status draw_run(const FrameRun& run, gpu::RgbaImage& strip, int top);
  Status draw_segment(const RenderJob& job, int index, const std::filesystem::path& output,
                      const CancelToken& cancel, const std::function<void(int)>& on_progress);

  gpu::Device& device_;
  const media::FontLibrary& fonts_;
  const media::EncoderChoice encoders_;
  const Options options_;
  ImageCache cache_;
  const std::shared_ptr<PiecePool> pool_;
  const std::shared_ptr<media::FileDecoder> decoder_;
};

}  // namespace pytoon::render
