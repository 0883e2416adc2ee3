// The Renderer that composes scenes on a device and encodes them. Keeps the last few scenes, so
// that the segments of a job share one preparation of its images.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "gpu/device.h"
#include "pipeline/media/encoder_choice.h"
#include "pipeline/media/text/text.h"
#include "pipeline/render/content_key.h"
#include "pipeline/render/renderer.h"
#include "pipeline/render/scene.h"

namespace pytoon::render {

class SceneRenderer final : public Renderer {
 public:
  // device and fonts must outlive the renderer.
  SceneRenderer(gpu::Device& device, const media::FontLibrary& fonts,
                media::EncoderChoice encoders);

  Status check(const spec::RenderSpec& spec) override;
  std::vector<Encoder> encoders() const override;
  Result<std::vector<std::string>> content_keys(const RenderJob& job) override;
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

 private:
  // A scene under construction or ready; its mutex makes the second asker wait for the first.
  struct Slot {
    std::mutex mutex;
    std::shared_ptr<const Scene> scene;
  };
  const media::EncoderOption& encoder_of(const RenderJob& job) const;
  std::string device_kind_for(const media::EncoderSettings& encoder) const;
  std::vector<std::string> keys_of(const RenderJob& job, const ImageMaker& maker) const;
  Result<std::shared_ptr<const Scene>> scene_of(const RenderJob& job);
  std::shared_ptr<Slot> slot_of(const std::string& key);
  Status draw_segment(const RenderJob& job, int index, const std::filesystem::path& output,
                      const CancelToken& cancel, const std::function<void(int)>& on_progress);

  gpu::Device& device_;
  const media::FontLibrary& fonts_;
  const media::EncoderChoice encoders_;

  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Slot>> slots_;  // guarded by mutex_
  std::vector<std::string> recent_;                     // keys, latest last; guarded by mutex_
};

}  // namespace pytoon::render
