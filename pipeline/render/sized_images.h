// SceneImages that have a size and no pixels, and the account of what they would take on a CUDA
// device.
//
// Thread rule: one thread at a time.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "pipeline/media/decoder/local_decoder.h"
#include "pipeline/render/prepared_images.h"
#include "pipeline/render/segment_cost.h"
#include "pipeline/render/shot_clip.h"

namespace pytoon::render {

// What is held now, and the most that ever was.
class PoolTally {
 public:
  PoolUse held;
  const PoolUse& peak() const { return peak_; }
  void look() {
    if (held.total() > peak_.total()) peak_ = held;
  }

 private:
  PoolUse peak_;
};

class SizedImages final : public SceneImages {
 public:
  // Both must outlive this.
  SizedImages(const SegmentFacts& facts, PoolTally& tally) : facts_(facts), tally_(tally) {}

  Still still(const plan::InputFile& file, Still::From from) override {
    return {no_cache_, no_decoder_, file, from};
  }
  Result<PreparedPtr> plain(gpu::Rgba colour) override;
  Result<PreparedPtr> covering(Still& still, gpu::Rgba background, gpu::Size size) override;
  Result<PreparedPtr> blurred(Still& still, gpu::Rgba background,
                              const spec::Output& output) override;
  Result<PreparedPtr> product(Still& still, const std::optional<plan::InputFile>& mask,
                              gpu::Rect zone, const spec::OverlayFx& fx,
                              const spec::Output& output) override;
  Result<PreparedPtr> logo(const plan::InputFile& file, const spec::Output& output) override;
  // Of a clip that is not known, an index that says so by an empty path.
  Result<std::shared_ptr<const media::ClipIndex>> clip(const plan::InputFile& file) override;

  // An image that is made once for all who name it so.
  PreparedPtr sized(const std::string& key, gpu::Size size, bool opaque, gpu::Rect place = {});

 private:
  const SegmentFacts& facts_;
  PoolTally& tally_;
  // Stills that nobody decodes want both.
  ImageCache no_cache_{0};
  media::LocalDecoder no_decoder_;
  std::map<std::string, PreparedPtr> made_;
};

// Frames of clips likewise, as decoders on the host give them.
class SizedClips final : public ClipFrames {
 public:
  Result<std::shared_ptr<const gpu::Texture>> texture(const ShotClip& clip, int frame) override;
  // Of all that were asked for, one frame each.
  std::uint64_t bytes() const;
  // What the card's own decoders for them take.
  std::uint64_t decoder_bytes(const DriverCosts& driver) const;

 private:
  std::map<const ShotClip*, std::shared_ptr<const gpu::Texture>> open_;
};

}  // namespace pytoon::render
