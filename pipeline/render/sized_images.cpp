#include "pipeline/render/sized_images.h"

#include <algorithm>

#include "gpu/memory_layout.h"
#include "pipeline/media/clip/frame_size.h"
#include "pipeline/render/layout.h"

namespace pytoon::render {
namespace {

class SizedTexture final : public gpu::Texture {
 public:
  SizedTexture(gpu::Size size, bool opaque) : size_(size), opaque_(opaque) {}
  gpu::Size size() const override { return size_; }
  bool opaque() const override { return opaque_; }

 private:
  const gpu::Size size_;
  const bool opaque_;
};

std::string name_of(gpu::Size size) {
  return std::to_string(size.width) + "x" + std::to_string(size.height);
}

// The largest place that place_product() gives for any shape.
gpu::Rect largest_product(gpu::Rect zone, const spec::Output& output) {
  const gpu::Rect wide = place_product({1 << 20, 1}, zone, output);
  const gpu::Rect high = place_product({1, 1 << 20}, zone, output);
  return {zone.x, zone.y, wide.width, high.height};
}

// The largest frame of a clip that fills one of `output`: as wide, or high, as clips may be, and
// across that just not worth scaling down.
gpu::Size largest_clip(const spec::Output& output) {
  const auto across = [](int px) {
    return std::min(media::kClipEdgeMaxPx, static_cast<int>(px * media::kClipStepMax) + 2);
  };
  const gpu::Size wide{media::kClipEdgeMaxPx, across(output.height)};
  const gpu::Size high{across(output.width), media::kClipEdgeMaxPx};
  return output.height > output.width ? wide : high;
}

bool is_known(const media::ClipIndex& clip) { return !clip.path.empty(); }

std::uint64_t surface_bytes(gpu::Size stored) {
  constexpr std::uint64_t kBlock = 16;  // H.264's; HEVC's may be larger, and is cut off
  const auto whole = [](int px) {
    return (static_cast<std::uint64_t>(px) + kBlock - 1) / kBlock * kBlock;
  };
  return whole(stored.width) * whole(stored.height) * 3 / 2;
}

}  // namespace

PreparedPtr SizedImages::sized(const std::string& key, gpu::Size size, bool opaque,
                               gpu::Rect place) {
  PreparedPtr& made = made_[key];
  if (made) return made;
  made = std::make_shared<const PreparedImage>(
      PreparedImage{std::make_shared<SizedTexture>(size, opaque), place});
  tally_.held.textures += gpu::texture_bytes(size, opaque);
  tally_.held.uploads = gpu::upload_extra_bytes(size);
  tally_.look();
  tally_.held.uploads = 0;
  return made;
}

Result<PreparedPtr> SizedImages::plain(gpu::Rgba /*colour*/) {
  return sized("plain", kPlainSize, true);
}

Result<PreparedPtr> SizedImages::covering(Still& still, gpu::Rgba /*background*/, gpu::Size size) {
  return sized("covering " + still.key() + " " + name_of(size), size, true);
}

Result<PreparedPtr> SizedImages::blurred(Still& still, gpu::Rgba /*background*/,
                                         const spec::Output& output) {
  return sized("blurred " + still.key(), blurred_size(output), true);
}

// What can be seen of a cut-out is known when it has been decoded, so that any shape is possible.
Result<PreparedPtr> SizedImages::product(Still& still, const std::optional<plan::InputFile>& mask,
                                         gpu::Rect zone, const spec::OverlayFx& fx,
                                         const spec::Output& output) {
  gpu::Rect place = largest_product(zone, output);
  const auto image = facts_.images.find(still.file().sha256);
  const auto clip = facts_.clips.find(still.file().sha256);
  if (still.is_clip() && clip != facts_.clips.end()) {
    place = place_product(clip->second->upright, zone, output);
  } else if (!still.is_clip() && image != facts_.images.end() && !image->second.has_alpha &&
             !mask) {
    place = place_product(image->second.size, zone, output);
  }
  const gpu::Rect around = with_margin(place, output);
  const std::string effects = std::string(fx.shadow ? " shadow" : "") + (fx.glow ? " glow" : "");
  return sized("product " + still.key() + (mask ? " masked" : "") + effects,
               {around.width, around.height}, false, around);
}

// One whose file can't be read is left out of the video.
Result<PreparedPtr> SizedImages::logo(const plan::InputFile& file, const spec::Output& output) {
  const auto known = facts_.images.find(file.sha256);
  if (known == facts_.images.end()) {
    return failure(FailureKind::kNotFound, "nothing is known of the logo");
  }
  const gpu::Rect place = place_logo(known->second.size, output);
  return sized("logo", {place.width, place.height}, !known->second.has_alpha, place);
}

Result<std::shared_ptr<const media::ClipIndex>> SizedImages::clip(const plan::InputFile& file) {
  const auto known = facts_.clips.find(file.sha256);
  if (known != facts_.clips.end()) return known->second;
  auto unknown = std::make_shared<media::ClipIndex>();
  unknown->stored = unknown->upright = {media::kClipEdgeMaxPx, media::kClipEdgeMaxPx};
  unknown->times.starts = {0};
  unknown->times.end = 1;
  return std::shared_ptr<const media::ClipIndex>(std::move(unknown));
}

Result<std::shared_ptr<const gpu::Texture>> SizedClips::texture(const ShotClip& clip,
                                                                int /*frame*/) {
  std::shared_ptr<const gpu::Texture>& texture = open_[&clip];
  if (!texture) {
    const bool alpha = clip.clip->has_alpha;
    gpu::Size size = largest_clip(clip.output);
    if (is_known(*clip.clip)) {
      size = alpha ? cutout_size(clip)
                   : media::converted_size(clip.clip->stored, clip.clip->rotation,
                                           {clip.place.width, clip.place.height});
    }
    texture = std::make_shared<SizedTexture>(size, !alpha);
  }
  return texture;
}

std::uint64_t SizedClips::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [clip, texture] : open_) {
    sum += gpu::texture_bytes(texture->size(), texture->opaque());
    if (!texture->opaque()) sum += gpu::upload_extra_bytes(texture->size());
  }
  return sum;
}

std::uint64_t SizedClips::decoder_bytes(const DriverCosts& driver) const {
  std::uint64_t sum = 0;
  for (const auto& [clip, texture] : open_) {
    const int surfaces = driver.decoder_surfaces + 2 * media::kSurfacesHeld;
    sum += driver.decoder_bytes +
           static_cast<std::uint64_t>(surfaces) * surface_bytes(clip->clip->stored);
  }
  return sum;
}

}  // namespace pytoon::render
