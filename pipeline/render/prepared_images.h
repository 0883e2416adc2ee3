// Images made ready for the device, each in one way: scaled to cover the frame, blurred, cut out,
// shadowed. Shared through the cache by everybody who needs the same of the same file.
//
// Thread rule: any thread. Blocks on decoding and filtering what the cache does not have: some
// hundred milliseconds an image. Errors: kMalformed or kNotFound for a file that can't be read,
// kOutOfMemory when the device has no room even without what the cache can spare.
#pragma once

#include <memory>
#include <optional>

#include "base/result.h"
#include "gpu/device.h"
#include "pipeline/media/clip/clip_index.h"
#include "pipeline/media/decoder/file_decoder.h"
#include "pipeline/render/image_cache.h"
#include "pipeline/render/renderer.h"

namespace pytoon::render {

// An image on the device, and where on the frame it belongs if it has a place of its own.
struct PreparedImage {
  std::shared_ptr<const gpu::Texture> texture;  // null: nothing of it can be seen
  gpu::Rect place;
};
using PreparedPtr = std::shared_ptr<const PreparedImage>;
// The texture; whoever holds it holds the cache's entry too.
std::shared_ptr<const gpu::Texture> texture_of(const PreparedPtr& image);

// What a still image is made of: an image's file, or a clip's first frame. Its pixels are decoded
// when first asked for and held as long as this lives. One thread at a time.
class Still {
 public:
  enum class From { kImage, kClip };
  // Cache and decoder must outlive this.
  Still(ImageCache& cache, media::FileDecoder& decoder, plan::InputFile file, From from)
      : cache_(cache), decoder_(decoder), file_(std::move(file)), from_(from) {}

  Result<const gpu::RgbaImage*> pixels();
  const plan::InputFile& file() const { return file_; }
  bool is_clip() const { return from_ == From::kClip; }
  // Names the image in keys of the cache.
  std::string key() const { return (from_ == From::kImage ? "image " : "clip ") + file_.sha256; }

 private:
  ImageCache& cache_;
  media::FileDecoder& decoder_;
  const plan::InputFile file_;
  const From from_;
  std::shared_ptr<const gpu::RgbaImage> pixels_;
};

// What shots ask for when they are made: real images, or, to tell what a segment costs, their
// sizes alone (segment_cost.h).
class SceneImages {
 public:
  virtual ~SceneImages() = default;

  virtual Still still(const plan::InputFile& file, Still::From from) = 0;
  virtual Result<PreparedPtr> plain(gpu::Rgba colour) = 0;
  // Fills `size`; transparent parts show the background.
  virtual Result<PreparedPtr> covering(Still& still, gpu::Rgba background, gpu::Size size) = 0;
  // An overlay's background: blurred, darkened, to be drawn over the whole frame.
  virtual Result<PreparedPtr> blurred(Still& still, gpu::Rgba background,
                                      const spec::Output& output) = 0;
  // Cut out by its own alpha and the mask, in its place in the zone, with glow and shadow.
  virtual Result<PreparedPtr> product(Still& still, const std::optional<plan::InputFile>& mask,
                                      gpu::Rect zone, const spec::OverlayFx& fx,
                                      const spec::Output& output) = 0;
  virtual Result<PreparedPtr> logo(const plan::InputFile& file, const spec::Output& output) = 0;
  virtual Result<std::shared_ptr<const media::ClipIndex>> clip(const plan::InputFile& file) = 0;
};

class PreparedImages final : public SceneImages {
 public:
  // All must outlive this.
  PreparedImages(gpu::Device& device, ImageCache& cache, media::FileDecoder& decoder)
      : device_(device), cache_(cache), decoder_(decoder) {}

  Still still(const plan::InputFile& file, Still::From from) override {
    return {cache_, decoder_, file, from};
  }
  Result<PreparedPtr> plain(gpu::Rgba colour) override;
  Result<PreparedPtr> covering(Still& still, gpu::Rgba background, gpu::Size size) override;
  Result<PreparedPtr> blurred(Still& still, gpu::Rgba background,
                              const spec::Output& output) override;
  Result<PreparedPtr> product(Still& still, const std::optional<plan::InputFile>& mask,
                              gpu::Rect zone, const spec::OverlayFx& fx,
                              const spec::Output& output) override;
  Result<PreparedPtr> logo(const plan::InputFile& file, const spec::Output& output) override;
  Result<std::shared_ptr<const media::ClipIndex>> clip(const plan::InputFile& file) override;

  // For images that are made elsewhere.
  Result<PreparedPtr> get(const std::string& key,
                          const std::function<Result<PreparedImage>()>& build);
  // When the device is full, what the cache can spare goes first.
  Result<std::shared_ptr<const gpu::Texture>> upload(const gpu::RgbaImage& image);

 private:
  gpu::Device& device_;
  ImageCache& cache_;
  media::FileDecoder& decoder_;
};

}  // namespace pytoon::render
